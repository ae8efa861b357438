import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { parseJson } from '../../shared/json';

/** Values of stack outputs by name. */
export type Outputs = Readonly<Record<string, string>>;

/**
 * The outputs of a stage's stacks, in one object.
 *
 * @throws the error of CloudFormation if a stack does not exist
 */
export const readOutputs = async (stage: string): Promise<Outputs> => {
  const client = new CloudFormationClient();
  const names = ['Data', 'OrderPipeline', 'SyncJobs'].map((stack) => `${stage}-${stack}`);
  const stacks = await Promise.all(names.map((StackName) => client.send(new DescribeStacksCommand({ StackName }))));
  client.destroy();
  return Object.fromEntries(
    stacks
      .flatMap(({ Stacks }) => Stacks?.[0]?.Outputs ?? [])
      .map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
};

/** Writes secrets, named by their construct ids, to the ARNs in the outputs. */
export const fillSecrets = async (outputs: Outputs, secrets: Readonly<Record<string, unknown>>): Promise<void> => {
  const client = new SecretsManagerClient();
  for (const [name, value] of Object.entries(secrets)) {
    const SecretId = outputs[`${name}Arn`];
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
  }
  client.destroy();
};

const webhookSecretSchema = z.object({
  basic: z.array(z.unknown()).min(1),
  signing_secrets: z.array(z.string()).min(1),
});

/**
 * Checks that the webhook accepts both kinds of authentication that the tests use.
 *
 * @throws {Error} if its secret has no Basic credentials or no signing secret
 */
export const checkWebhookSecret = async ({ WebhookSecretArn }: Outputs): Promise<void> => {
  const client = new SecretsManagerClient();
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: WebhookSecretArn }));
  client.destroy();
  if (!webhookSecretSchema.safeParse(parseJson(SecretString)).success) {
    throw new Error(
      'The tests need a WebhookSecret with an entry in "basic" and one in "signing_secrets": docs/deploy.md.',
    );
  }
};

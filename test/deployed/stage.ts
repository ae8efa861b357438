import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Output name → value. */
export type Outputs = Readonly<Record<string, string>>;

/**
 * The outputs of a stage's stacks, in one object.
 *
 * @throws what CloudFormation answers when a stack is not there
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

/** Writes secrets, named by their construct ids, to where the outputs say. */
export const fillSecrets = async (outputs: Outputs, secrets: Readonly<Record<string, unknown>>): Promise<void> => {
  const client = new SecretsManagerClient();
  for (const [name, value] of Object.entries(secrets)) {
    const SecretId = outputs[`${name}Arn`];
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
  }
  client.destroy();
};

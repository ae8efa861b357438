import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { PausablePart } from '../ops/services/pause/parts';
import { isInForce } from '../ops/services/pause/pause';
import { createPauseRecords } from '../ops/services/pause/record';

/** Credentials of the bootstrap's role that CDK uses to look things up: who deploys may assume it, and it can only read. */
const lookupCredentials = async (sts: STSClient, region: string) => {
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  const RoleArn = `arn:aws:iam::${Account}:role/cdk-hnb659fds-lookup-role-${Account}-${region}`;
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'read-pauses' }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken } = Credentials ?? {};
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(SessionToken !== undefined && { sessionToken: SessionToken }),
  };
};

/** The name of the stage's Operations table; undefined before the first deployment of a release that has it. */
const tableNameOf = async (cloudFormation: CloudFormationClient, stage: string): Promise<string | undefined> => {
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: `${stage}-Data` }));
    return Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'OperationsTableName')?.OutputValue;
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
};

/**
 * Names the parts of a stage whose pause is in force, so that a deployment leaves them off (docs/adr/0022).
 *
 * @throws {Error} if they cannot be read: the deployment could then resume what an operator has paused
 */
export const readPausedParts = async (stage: string, nowMs: number): Promise<PausablePart[]> => {
  const sts = new STSClient({});
  const region = await sts.config.region();
  const config = { region, credentials: await lookupCredentials(sts, region) };
  const [cloudFormation, dynamodb] = [new CloudFormationClient(config), new DynamoDBClient(config)];
  try {
    const operationsTableName = await tableNameOf(cloudFormation, stage);
    if (operationsTableName === undefined) return [];
    const pauses = await createPauseRecords({ dynamodb, operationsTableName }).list(nowMs);
    return pauses.filter((pause) => isInForce(pause, nowMs)).map(({ part }) => part);
  } finally {
    for (const client of [sts, cloudFormation, dynamodb]) client.destroy();
  }
};

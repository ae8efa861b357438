import { rmSync } from 'node:fs';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, ListLayersCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import {
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateStateMachineCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { AddPermissionCommand } from '@aws-sdk/client-sqs';
import { newStateDirectory, startFixture } from './fixture/start';

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
let clients: ReturnType<typeof connect>;
const connect = () => {
  const { config, endpoints } = aws;
  return {
    lambda: new LambdaClient({ ...config, endpoint: endpoints.lambda }),
    logs: new CloudWatchLogsClient({ ...config, endpoint: endpoints.logs }),
    s3: new S3Client({ ...config, endpoint: endpoints.s3 }),
    secrets: new SecretsManagerClient({ ...config, endpoint: endpoints.secretsmanager }),
    sfn: new SFNClient({ ...config, endpoint: endpoints.sfn }),
  };
};
beforeAll(async () => {
  aws = await startFixture(stateDirectory);
  clients = connect();
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

const refusal = (name: string, message: string) => expect.objectContaining({ name, message });

describe('an error for an action that is not served names the action in one sentence', () => {
  const arn = 'arn:aws:states:us-east-1:000000000000:stateMachine:dev-marketplace-workflow';
  const Bucket = () => aws.data.RawBucketName;
  test.each<[string, string, () => Promise<unknown>]>([
    [
      'CreateLogGroup of CloudWatch Logs',
      'UnknownOperationException',
      () => clients.logs.send(new CreateLogGroupCommand({ logGroupName: 'x' })),
    ],
    [
      'CreateSecret of Secrets Manager',
      'UnknownOperationException',
      () => clients.secrets.send(new CreateSecretCommand({ Name: 'x' })),
    ],
    [
      'CreateStateMachine of Step Functions',
      'UnknownOperationException',
      () => clients.sfn.send(new CreateStateMachineCommand({ name: 'x', definition: '{}', roleArn: 'x' })),
    ],
    [
      'the parameter redriveFilter of Step Functions ListExecutions',
      'ValidationException',
      () => clients.sfn.send(new ListExecutionsCommand({ stateMachineArn: arn, redriveFilter: 'REDRIVEN' })),
    ],
    [
      'TransactWriteItems of DynamoDB',
      'UnknownOperationException',
      () => aws.dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [] })),
    ],
    [
      'AddPermission of SQS',
      'UnknownOperationException',
      () =>
        aws.sqs.send(
          new AddPermissionCommand({ QueueUrl: aws.pipeline.BulkQueueUrl, Label: 'x', AWSAccountIds: [], Actions: [] }),
        ),
    ],
    ['ListLayers of Lambda', 'UnknownOperationException', () => clients.lambda.send(new ListLayersCommand({}))],
    [
      'UpdateFunctionConfiguration of Lambda',
      'UnknownOperationException',
      () => clients.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'dev-marketplace-webhook' })),
    ],
    [
      'GetBucketPolicy of S3',
      'NotImplemented',
      () => clients.s3.send(new GetBucketPolicyCommand({ Bucket: Bucket() })),
    ],
    ['GetBucketAcl of S3', 'NotImplemented', () => clients.s3.send(new GetBucketAclCommand({ Bucket: Bucket() }))],
    [
      'GetPublicAccessBlock of S3',
      'NotImplemented',
      () => clients.s3.send(new GetPublicAccessBlockCommand({ Bucket: Bucket() })),
    ],
    [
      'ListObjectVersions of S3',
      'NotImplemented',
      () => clients.s3.send(new ListObjectVersionsCommand({ Bucket: Bucket() })),
    ],
    [
      'ListMultipartUploads of S3',
      'NotImplemented',
      () => clients.s3.send(new ListMultipartUploadsCommand({ Bucket: Bucket() })),
    ],
    [
      'PutBucketVersioning of S3',
      'NotImplemented',
      () =>
        clients.s3.send(
          new PutBucketVersioningCommand({ Bucket: Bucket(), VersioningConfiguration: { Status: 'Enabled' } }),
        ),
    ],
    [
      'GetObjectTagging of S3',
      'NotImplemented',
      () => clients.s3.send(new GetObjectTaggingCommand({ Bucket: Bucket(), Key: 'k' })),
    ],
    [
      'PutObjectTagging of S3',
      'NotImplemented',
      () => clients.s3.send(new PutObjectTaggingCommand({ Bucket: Bucket(), Key: 'k', Tagging: { TagSet: [] } })),
    ],
    [
      'the parameter versionId of S3 GetObject',
      'NotImplemented',
      () => clients.s3.send(new GetObjectCommand({ Bucket: Bucket(), Key: 'k', VersionId: 'v' })),
    ],
  ])('%s', async (what, name, call) => {
    await expect(call()).rejects.toThrow(refusal(name, `The embedded AWS does not serve ${what}.`));
  });

  test.each<[string, () => string]>([
    ['Secrets Manager', () => aws.endpoints.secretsmanager],
    ['DynamoDB', () => aws.endpoints.dynamodb],
    ['SQS', () => aws.endpoints.sqs],
  ])('an action of another service at the endpoint of %s', async (service, url) => {
    const logs = new CloudWatchLogsClient({ ...aws.config, endpoint: url() });
    const message = `The embedded AWS does not serve Logs_20140328.CreateLogGroup of ${service}.`;
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName: 'x' }))).rejects.toThrow(
      refusal('UnknownOperationException', message),
    );
    logs.destroy();
  });

  test.each([
    ['PATCH', '/bucket/key', 'the method PATCH'],
    ['POST', '/bucket/key', 'a POST to a key'],
    ['POST', '/bucket/key?select&select-type=2', 'SelectObjectContent'],
  ])('%s %s at S3', async (method, path, what) => {
    const response = await fetch(`${aws.endpoints.s3}${path}`, { method });
    expect(await response.text()).toContain(`<Message>The embedded AWS does not serve ${what} of S3.</Message>`);
    expect(response.status).toBe(501);
  });

  test('SQS in the protocol of old SDKs, and SNS', async () => {
    for (const Action of ['SendMessage', 'Publish']) {
      const response = await fetch(aws.endpoints.sqs, { method: 'POST', body: new URLSearchParams({ Action }) });
      expect(await response.text()).toContain(
        `The embedded AWS serves SQS in the JSON protocol only, and not ${Action}.`,
      );
    }
  });
});

import { readAwsCall, readHttpCall } from '../../../../emulator/lambda/function-call';

const asked = (method: string, target: string, amzTarget?: string, body: unknown = '') => ({
  method,
  target,
  amzTarget,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

test.each([
  ['DynamoDB_20120810.UpdateItem', { TableName: 'orders' }, 'dynamodb', 'UpdateItem', 'orders'],
  ['DynamoDB_20120810.BatchGetItem', { RequestItems: { a: {}, b: {} } }, 'dynamodb', 'BatchGetItem', 'a,b'],
  ['AmazonSQS.SendMessage', { QueueUrl: 'http://127.0.0.1:1/000000000000/download' }, 'sqs', 'SendMessage', 'download'],
  ['secretsmanager.GetSecretValue', { SecretId: 'arn:secret' }, 'secretsmanager', 'GetSecretValue', 'arn:secret'],
  ['AWSStepFunctions.StartExecution', { stateMachineArn: 'arn' }, 'states', 'StartExecution', 'arn'],
  ['AWSStepFunctions.ListActivities', {}, 'states', 'ListActivities', ''],
])('%s', (amzTarget, body, service, operation, resource) => {
  expect(readAwsCall(asked('POST', '/', amzTarget, body))).toEqual({ service, operation, resource });
});

test.each([
  ['GET', '/raw?list-type=2&prefix=a%2Fb', 'ListObjectsV2', 'raw'],
  ['GET', '/raw/a%20b/c.json?x-id=GetObject', 'GetObject', 'raw/a b/c.json'],
  ['HEAD', '/raw/a', 'HeadObject', 'raw/a'],
  ['PUT', '/raw/a?x-id=PutObject', 'PutObject', 'raw/a'],
  ['DELETE', '/raw/a', 'DeleteObject', 'raw/a'],
  ['POST', '/raw/a?uploads', 'CreateMultipartUpload', 'raw/a'],
  ['PUT', '/raw/a?partNumber=1&uploadId=u', 'UploadPart', 'raw/a'],
  ['POST', '/raw/a?uploadId=u', 'CompleteMultipartUpload', 'raw/a'],
  ['DELETE', '/raw/a?uploadId=u', 'AbortMultipartUpload', 'raw/a'],
  ['PATCH', '/raw/a', 'PATCH object', 'raw/a'],
])('S3: %s %s', (method, target, operation, resource) => {
  expect(readAwsCall(asked(method, target))).toEqual({ service: 's3', operation, resource });
});

test('Lambda and any other server', () => {
  const invoke = asked('POST', '/2015-03-31/functions/dev-webhook/invocations');
  expect(readAwsCall(invoke)).toEqual({ service: 'lambda', operation: 'Invoke', resource: 'dev-webhook' });
  expect(readHttpCall(asked('GET', '/jobs/1?page=2'), 'http://127.0.0.1:1')).toEqual({
    service: 'http',
    operation: 'GET /jobs/1',
    resource: 'http://127.0.0.1:1/jobs/1?page=2',
  });
});

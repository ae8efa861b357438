import { readAwsCall, readHttpCall } from '../../../../emulator/lambda/function-call';

const requestOf = (method: string, target: string, amzTarget?: string, body: unknown = '') => ({
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
])('%s is read from the x-amz-target header', (amzTarget, body, service, operation, resource) => {
  expect(readAwsCall(requestOf('POST', '/', amzTarget, body))).toEqual({ service, operation, resource });
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
])('S3: %s %s is %s', (method, target, operation, resource) => {
  expect(readAwsCall(requestOf(method, target))).toEqual({ service: 's3', operation, resource });
});

test('calls to Lambda and to any other server', () => {
  const invoke = requestOf('POST', '/2015-03-31/functions/dev-webhook/invocations');
  expect(readAwsCall(invoke)).toEqual({ service: 'lambda', operation: 'Invoke', resource: 'dev-webhook' });
  expect(readHttpCall(requestOf('GET', '/jobs/1?page=2'), 'http://127.0.0.1:1')).toEqual({
    service: 'http',
    operation: 'GET /jobs/1',
    resource: 'http://127.0.0.1:1/jobs/1?page=2',
  });
});

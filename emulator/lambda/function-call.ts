import * as z from 'zod';

/** A call that a process of a function makes to AWS or to any other server on this machine. */
export interface FunctionCall {
  readonly functionName: string;
  readonly service: 'dynamodb' | 's3' | 'sns' | 'sqs' | 'secretsmanager' | 'lambda' | 'states' | 'http';
  /** The SDK's name, such as `UpdateItem`; for servers other than AWS, method and path, such as `POST /orders`. */
  readonly operation: string;
  /** A table or `table/index/name`, `bucket/key`, a queue, a topic, a secret, a function or a URL; empty if the call names none. */
  readonly resource: string;
  /** The request body; may be empty. */
  readonly body: Buffer;
  /** JSON text of the event that the process handles; empty between invocations. */
  readonly event: string;
}

/** A request that a proxy receives. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The `x-amz-target` header: service and operation in AWS's JSON protocol. */
  readonly amzTarget: string | undefined;
  readonly body: Buffer;
}

type Meaning = Pick<FunctionCall, 'service' | 'operation' | 'resource'>;

/** Reads a request to a server other than AWS. */
export const readHttpCall = ({ method, target }: ProxiedRequest, origin: string): Meaning => ({
  service: 'http',
  operation: `${method} ${target.split('?')[0]}`,
  resource: origin + target,
});

/** Reads a request to AWS. */
export const readAwsCall = (request: ProxiedRequest): Meaning => {
  const [prefix = '', operation = ''] = request.amzTarget?.split('.') ?? [];
  const json = jsonServices[prefix];
  if (json) {
    return { service: json.service, operation, resource: json.resource(JSON.parse(request.body.toString())) };
  }
  const published = topicOf(request);
  if (published !== undefined) return { service: 'sns', operation: 'Publish', resource: published };
  const [, invoked] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.target) ?? [];
  return invoked === undefined
    ? readS3Call(request)
    : { service: 'lambda', operation: 'Invoke', resource: decodeURIComponent(invoked) };
};

/** The topic to which a request publishes. SNS gets a form. */
const topicOf = ({ method, target, body }: ProxiedRequest): string | undefined => {
  if (method !== 'POST' || target !== '/') return undefined;
  const form = new URLSearchParams(body.toString());
  return form.get('Action') === 'Publish' ? (form.get('TopicArn') ?? '') : undefined;
};

const named = (schema: z.ZodType<string>) => (body: unknown) => schema.safeParse(body).data ?? '';

const tables = z.union([
  z
    .object({ TableName: z.string(), IndexName: z.string().optional() })
    .transform(({ TableName, IndexName }) => (IndexName === undefined ? TableName : `${TableName}/index/${IndexName}`)),
  z
    .object({ RequestItems: z.record(z.string(), z.unknown()) })
    .transform((body) => Object.keys(body.RequestItems).join()),
]);
const queue = z.object({ QueueUrl: z.string() }).transform(({ QueueUrl }) => QueueUrl.split('/').at(-1) ?? '');
const secret = z.object({ SecretId: z.string() }).transform(({ SecretId }) => SecretId);
const workflow = z.union([
  z.object({ stateMachineArn: z.string() }).transform(({ stateMachineArn }) => stateMachineArn),
  z.object({ executionArn: z.string() }).transform(({ executionArn }) => executionArn),
]);

/** Text before the dot in `x-amz-target` → service. */
const jsonServices: Readonly<
  Record<string, { readonly service: FunctionCall['service']; readonly resource: (body: unknown) => string }>
> = {
  DynamoDB_20120810: { service: 'dynamodb', resource: named(tables) },
  AmazonSQS: { service: 'sqs', resource: named(queue) },
  secretsmanager: { service: 'secretsmanager', resource: named(secret) },
  AWSStepFunctions: { service: 'states', resource: named(workflow) },
};

/** Reads a request to S3, which does not name its operation: method, key and query determine it. */
const readS3Call = ({ method, target }: ProxiedRequest): Meaning => {
  const { pathname, searchParams } = new URL(target, 'http://s3');
  const resource = decodeURIComponent(pathname.slice(1)).replace(/\/$/, '');
  const kind = resource.includes('/') ? 'object' : 'bucket';
  const call = [method, kind, ...['uploads', 'uploadId', 'delete'].filter((name) => searchParams.has(name))].join(' ');
  return { service: 's3', operation: s3Operations[call] ?? call, resource };
};

const s3Operations: Readonly<Record<string, string>> = {
  'GET bucket': 'ListObjectsV2',
  'HEAD bucket': 'HeadBucket',
  'POST bucket delete': 'DeleteObjects',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'PUT object': 'PutObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object uploadId': 'UploadPart',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
};

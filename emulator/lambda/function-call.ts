import * as z from 'zod';

/** A call that a process of a function makes, to AWS or to any other server of this machine. */
export interface FunctionCall {
  readonly functionName: string;
  readonly service: 'dynamodb' | 's3' | 'sqs' | 'secretsmanager' | 'lambda' | 'states' | 'http';
  /** As the SDK names it, such as `UpdateItem`; of another server method and path, such as `POST /orders`. */
  readonly operation: string;
  /** A table, `bucket/key`, a queue, a secret, a function, a URL; empty where the call names none. */
  readonly resource: string;
  /** What was sent; empty if nothing was. */
  readonly body: Buffer;
  /** JSON text of the event that the process is working on; empty while it has none. */
  readonly event: string;
}

/** A request as it arrives at a proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The `x-amz-target` header: service and operation of those that speak JSON. */
  readonly amzTarget: string | undefined;
  readonly body: Buffer;
}

type Meaning = Pick<FunctionCall, 'service' | 'operation' | 'resource'>;

/** What a request asks of a server that is not AWS. */
export const readHttpCall = ({ method, target }: ProxiedRequest, origin: string): Meaning => ({
  service: 'http',
  operation: `${method} ${target.split('?')[0]}`,
  resource: origin + target,
});

/** What a request asks of AWS. */
export const readAwsCall = (request: ProxiedRequest): Meaning => {
  const [prefix = '', operation = ''] = request.amzTarget?.split('.') ?? [];
  const json = jsonServices[prefix];
  if (json) {
    return { service: json.service, operation, resource: json.resource(JSON.parse(request.body.toString())) };
  }
  const [, invoked] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.target) ?? [];
  return invoked === undefined
    ? readS3Call(request)
    : { service: 'lambda', operation: 'Invoke', resource: decodeURIComponent(invoked) };
};

const named = (schema: z.ZodType<string>) => (body: unknown) => schema.safeParse(body).data ?? '';

const tables = z.union([
  z.object({ TableName: z.string() }).transform(({ TableName }) => TableName),
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

/** By what stands before the dot in `x-amz-target`. */
const jsonServices: Readonly<
  Record<string, { readonly service: FunctionCall['service']; readonly resource: (body: unknown) => string }>
> = {
  DynamoDB_20120810: { service: 'dynamodb', resource: named(tables) },
  AmazonSQS: { service: 'sqs', resource: named(queue) },
  secretsmanager: { service: 'secretsmanager', resource: named(secret) },
  AWSStepFunctions: { service: 'states', resource: named(workflow) },
};

/** S3 names no operation: it follows from the method, from whether there is a key, and from the query. */
const readS3Call = ({ method, target }: ProxiedRequest): Meaning => {
  const { pathname, searchParams } = new URL(target, 'http://s3');
  const resource = decodeURIComponent(pathname.slice(1)).replace(/\/$/, '');
  const kind = resource.includes('/') ? 'object' : 'bucket';
  const asked = [method, kind, ...['uploads', 'uploadId', 'delete'].filter((name) => searchParams.has(name))].join(' ');
  return { service: 's3', operation: s3Operations[asked] ?? asked, resource };
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

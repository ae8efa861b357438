import * as z from 'zod';
import type { PreHandler } from './fauxqs';
import { notServed } from './not-served';

/** An error response of S3. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const pathSchema = z.object({ bucket: z.string().default(''), '*': z.string().default('') });
const querySchema = z.record(z.string(), z.unknown());

/** What fauxqs serves: method and target → the parameters that it reads. It ignores all other parameters. */
const servedParameters: Readonly<Record<string, readonly string[]>> = {
  'GET service': [],
  'GET bucket': [
    'list-type',
    'prefix',
    'delimiter',
    'max-keys',
    'marker',
    'start-after',
    'continuation-token',
    'encoding-type',
    'fetch-owner',
  ],
  'HEAD bucket': [],
  'PUT bucket': [],
  'POST bucket': ['delete'],
  'DELETE bucket': [],
  'GET object': ['attributes', 'partNumber'],
  'HEAD object': [],
  'PUT object': ['uploadId', 'partNumber'],
  'POST object': ['uploads', 'uploadId'],
  'DELETE object': ['uploadId'],
};

/** Parameters of the SDK and of presigned URLs. They have no effect here. */
const ignoredParameters = /^(?:x-id|x-amz-.*|awsaccesskeyid|signature|expires)$/i;

/** Parameters that select an action → S3's name for it without `Get`, `Put` or `Delete`. */
const subresourceActions: Readonly<Record<string, string>> = {
  accelerate: 'BucketAccelerateConfiguration',
  analytics: 'BucketAnalyticsConfiguration',
  cors: 'BucketCors',
  encryption: 'BucketEncryption',
  'intelligent-tiering': 'BucketIntelligentTieringConfiguration',
  inventory: 'BucketInventoryConfiguration',
  'legal-hold': 'ObjectLegalHold',
  lifecycle: 'BucketLifecycleConfiguration',
  location: 'BucketLocation',
  logging: 'BucketLogging',
  metrics: 'BucketMetricsConfiguration',
  notification: 'BucketNotificationConfiguration',
  'object-lock': 'ObjectLockConfiguration',
  ownershipControls: 'BucketOwnershipControls',
  policy: 'BucketPolicy',
  policyStatus: 'BucketPolicyStatus',
  publicAccessBlock: 'PublicAccessBlock',
  replication: 'BucketReplication',
  requestPayment: 'BucketRequestPayment',
  retention: 'ObjectRetention',
  torrent: 'ObjectTorrent',
  versioning: 'BucketVersioning',
  website: 'BucketWebsite',
};
/** The actions with irregular names. */
const irregularActions: Readonly<Record<string, string>> = {
  'GET service': 'ListBuckets',
  'GET bucket': 'ListObjectsV2',
  'HEAD bucket': 'HeadBucket',
  'PUT bucket': 'CreateBucket',
  'POST bucket': 'DeleteObjects',
  'DELETE bucket': 'DeleteBucket',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'PUT object': 'PutObject',
  'DELETE object': 'DeleteObject',
  'GET bucket uploads': 'ListMultipartUploads',
  'GET bucket versions': 'ListObjectVersions',
  'GET bucket session': 'CreateSession',
  'GET object uploadId': 'ListParts',
  'POST object restore': 'RestoreObject',
  'POST object select': 'SelectObjectContent',
  'PUT object renameObject': 'RenameObject',
};

/** Rejects requests that fauxqs would misread, for example for a policy, a tag or a version. */
export const refuseUnservedS3 = (): PreHandler => async (request, reply) => {
  if (request.headers['x-amz-target'] !== undefined) {
    return undefined;
  }
  const path = pathSchema.safeParse(request.params).data;
  const isS3 = !(request.method === 'POST' && path?.bucket === '');
  if (!path || !isS3 || request.url.startsWith('/_fauxqs/')) {
    return undefined;
  }
  const target = path['*'] !== '' ? 'object' : path.bucket !== '' ? 'bucket' : 'service';
  const what = unserved(request.method, target, Object.keys(querySchema.parse(request.query)));
  return what && refuseAsS3(reply, { status: 501, code: 'NotImplemented', message: what });
};

/** Sends an error response of S3. */
export const refuseAsS3 = (reply: Parameters<PreHandler>[1], { status, code, message }: Refusal) => {
  const error = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  return reply
    .status(status)
    .header('content-type', 'application/xml')
    .send(`<?xml version="1.0" encoding="UTF-8"?><Error>${error}</Error>`);
};

/** The error message for a request that is not served; undefined if it is served. */
const unserved = (method: string, target: 'service' | 'bucket' | 'object', parameters: readonly string[]) => {
  const call = `${method} ${target}`;
  const served = servedParameters[call];
  const given = parameters.filter((name) => !ignoredParameters.test(name));
  const unknownParameter = given.find((name) => !served?.includes(name));
  if (served && unknownParameter === undefined) {
    // S3 has no such call without a parameter.
    return call === 'POST object' && given.length === 0 ? notServed('a POST to a key', 'S3') : undefined;
  }
  const kind = target === 'object' ? 'Object' : 'Bucket';
  const subresources = new Map(Object.entries({ ...subresourceActions, acl: `${kind}Acl`, tagging: `${kind}Tagging` }));
  const subresource = subresources.get(unknownParameter ?? '');
  const verb = { GET: 'Get', PUT: 'Put', DELETE: 'Delete', POST: 'Post' }[method];
  const action = irregularActions[`${call} ${unknownParameter}`] ?? (subresource && verb && `${verb}${subresource}`);
  if (!served || action) {
    return notServed(action ?? `the method ${method}`, 'S3');
  }
  return notServed(`the parameter ${unknownParameter}`, `S3 ${irregularActions[call] ?? call}`);
};

export const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.codePointAt(0)};`);

import * as z from 'zod';
import type { PreHandler } from './fauxqs';
import { notServed } from './json-service';

/** A refusal as S3 words it. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const pathSchema = z.object({ bucket: z.string().default(''), '*': z.string().default('') });
const querySchema = z.record(z.string(), z.unknown());

/** What fauxqs serves: method and target → the parameters that it reads. It ignores all others. */
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

/** Of the SDK, and of requests that are signed in their URL. They change nothing here. */
const ignoredParameters = /^(?:x-id|x-amz-.*|awsaccesskeyid|signature|expires)$/i;

/** Parameters that stand for an action, and how S3 names it: after `Get`, `Put` or `Delete`. */
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
/** Those whose names follow no rule. */
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

/** Refuses the requests that fauxqs would take for another: a policy, a tag or a version that is asked for, for example. */
export const refuseUnservedS3 = (): PreHandler => async (request, reply) => {
  const path = pathSchema.safeParse(request.params).data;
  const isS3 = request.headers['x-amz-target'] === undefined && !(request.method === 'POST' && path?.bucket === '');
  if (!path || !isS3 || request.url.startsWith('/_fauxqs/')) {
    return undefined;
  }
  const target = path['*'] !== '' ? 'object' : path.bucket !== '' ? 'bucket' : 'service';
  const what = unserved(request.method, target, Object.keys(querySchema.parse(request.query)));
  return what && refuseAsS3(reply, { status: 501, code: 'NotImplemented', message: what });
};

/** Answers with an error of S3. */
export const refuseAsS3 = (reply: Parameters<PreHandler>[1], { status, code, message }: Refusal) => {
  const error = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  return reply
    .status(status)
    .header('content-type', 'application/xml')
    .send(`<?xml version="1.0" encoding="UTF-8"?><Error>${error}</Error>`);
};

/** The sentence about what is not served; nothing if all of the request is. */
const unserved = (method: string, target: 'service' | 'bucket' | 'object', parameters: readonly string[]) => {
  const call = `${method} ${target}`;
  const served = servedParameters[call];
  const given = parameters.filter((name) => !ignoredParameters.test(name));
  const stranger = given.find((name) => !served?.includes(name));
  if (served && stranger === undefined) {
    // Without a parameter, the call is none of S3's.
    return call === 'POST object' && given.length === 0 ? notServed('a POST to a key', 'S3') : undefined;
  }
  const kind = target === 'object' ? 'Object' : 'Bucket';
  const subresources = new Map(Object.entries({ ...subresourceActions, acl: `${kind}Acl`, tagging: `${kind}Tagging` }));
  const subresource = subresources.get(stranger ?? '');
  const verb = { GET: 'Get', PUT: 'Put', DELETE: 'Delete', POST: 'Post' }[method];
  const action = irregularActions[`${call} ${stranger}`] ?? (subresource && verb && `${verb}${subresource}`);
  if (!served || action) {
    return notServed(action ?? `the method ${method}`, 'S3');
  }
  return notServed(`the parameter ${stranger}`, `S3 ${irregularActions[call] ?? call}`);
};

export const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.codePointAt(0)};`);

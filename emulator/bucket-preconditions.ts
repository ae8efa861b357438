import * as z from 'zod';
import { computeChecksum, decodeAwsChunked, extractChecksumFromHeaders, type PreHandler } from './fauxqs';
import { type Refusal, refuseAsS3 } from './s3-requests';
import type { StoredObjects } from './stored-objects';

const objectSchema = z.object({ bucket: z.string(), '*': z.string().min(1) });
const querySchema = z.record(z.string(), z.unknown());

/**
 * Adds the checks to `PutObject` that fauxqs lacks: `If-None-Match: *`, `If-Match` and the object's checksum. A request
 * without a body, on which fauxqs fails, puts an empty object.
 */
export const checkPreconditions =
  (objects: StoredObjects): PreHandler =>
  async (request, reply) => {
    if (request.method !== 'PUT') {
      return undefined;
    }
    const object = objectSchema.safeParse(request.params).data;
    if (object === undefined) {
      return undefined;
    }
    request.body ??= Buffer.alloc(0);
    if ('uploadId' in querySchema.parse(request.query)) {
      return undefined;
    }
    const etagOf = () => objects.etagOf(object.bucket, object['*']);
    const refusal = failedPrecondition(request.headers, etagOf) ?? badDigest(request.headers, request.body);
    return refusal && refuseAsS3(reply, refusal);
  };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const failedPrecondition = (headers: Headers, etagOf: () => string | undefined): Refusal | undefined => {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch === undefined && ifNoneMatch === undefined) {
    return undefined;
  }
  const etag = etagOf();
  if (ifMatch !== undefined && etag === undefined) {
    return { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
  }
  const mismatch = ifMatch !== undefined && unquoted(ifMatch) !== unquoted(etag);
  const exists = ifNoneMatch === '*' && etag !== undefined;
  return mismatch || exists
    ? {
        status: 412,
        code: 'PreconditionFailed',
        message: 'At least one of the pre-conditions you specified did not hold',
      }
    : undefined;
};

const badDigest = (headers: Headers, body: unknown): Refusal | undefined => {
  if (!Buffer.isBuffer(body)) {
    return undefined;
  }
  const isChunked = String(headers['content-encoding']).includes('aws-chunked');
  const content = isChunked ? decodeAwsChunked(body) : { body, trailers: {} };
  const claimed = extractChecksumFromHeaders(content.trailers) ?? extractChecksumFromHeaders({ ...headers });
  return claimed && computeChecksum(claimed.algorithm, content.body) !== claimed.value
    ? {
        status: 400,
        code: 'BadDigest',
        message: `The ${claimed.algorithm} you specified did not match the calculated checksum.`,
      }
    : undefined;
};

const unquoted = (etag: string | string[] | undefined): string => String(etag).replaceAll('"', '');

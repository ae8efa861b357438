import * as z from 'zod';
import { computeChecksum, decodeAwsChunked, extractChecksumFromHeaders, type PreHandler, type S3Store } from './fauxqs';
import { type Refusal, refuseAsS3 } from './s3-requests';

const objectSchema = z.object({ bucket: z.string(), '*': z.string().min(1) });

/**
 * Adds the checks to `PutObject` that fauxqs lacks: `If-None-Match: *`, `If-Match` and the object's checksum. A request
 * without a body, on which fauxqs fails, puts an empty object.
 */
export const checkPreconditions =
  (store: S3Store): PreHandler =>
  async (request, reply) => {
    const object = objectSchema.safeParse(request.params);
    const query = z.record(z.string(), z.unknown()).parse(request.query);
    if (request.method !== 'PUT' || !object.success) {
      return undefined;
    }
    request.body ??= Buffer.alloc(0);
    if ('uploadId' in query) {
      return undefined;
    }
    const { bucket, '*': key } = object.data;
    const refusal =
      failedPrecondition(request.headers, etagOf(store, bucket, key)) ?? badDigest(request.headers, request.body);
    return refusal && refuseAsS3(reply, refusal);
  };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const failedPrecondition = (headers: Headers, etag: string | undefined): Refusal | undefined => {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && etag === undefined) {
    return { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
  }
  const mismatch = ifMatch !== undefined && unquoted(ifMatch) !== unquoted(etag);
  const exists = headers['if-none-match'] === '*' && etag !== undefined;
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

const etagOf = (store: S3Store, bucket: string, key: string): string | undefined => {
  try {
    return store.headObject(bucket, key).etag;
  } catch {
    return undefined;
  }
};

const unquoted = (etag: string | string[] | undefined): string => String(etag).replaceAll('"', '');

import * as z from 'zod';
import { computeChecksum, decodeAwsChunked, extractChecksumFromHeaders, type PreHandler, type S3Store } from './fauxqs';

const objectSchema = z.object({ bucket: z.string(), '*': z.string().min(1) });

/** A refusal as S3 words it. */
interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Makes `PutObject` keep the promises that fauxqs ignores: `If-None-Match: *`, `If-Match`, and checksums, which it
 * stores unread. A tag, a lock or an access list, which it would take for the object's new content, is refused.
 */
export function checkPreconditions(store: S3Store): PreHandler {
  return async (request, reply) => {
    const object = objectSchema.safeParse(request.params);
    const query = z.record(z.string(), z.unknown()).parse(request.query);
    if (request.method !== 'PUT' || !object.success || 'uploadId' in query) {
      return undefined;
    }
    const { bucket, '*': key } = object.data;
    const refusal =
      unsupported(query) ??
      failedPrecondition(request.headers, etagOf(store, bucket, key)) ??
      badDigest(request.headers, request.body);
    if (!refusal) {
      return undefined;
    }
    return reply
      .status(refusal.status)
      .header('content-type', 'application/xml')
      .send(
        `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error>`,
      );
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function unsupported(query: Readonly<Record<string, unknown>>): Refusal | undefined {
  return ['tagging', 'acl', 'retention', 'legal-hold'].some((name) => name in query)
    ? { status: 501, code: 'NotImplemented', message: 'This machine keeps no tags, locks and access lists.' }
    : undefined;
}

function failedPrecondition(headers: Headers, etag: string | undefined): Refusal | undefined {
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
}

function badDigest(headers: Headers, body: unknown): Refusal | undefined {
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
}

function etagOf(store: S3Store, bucket: string, key: string): string | undefined {
  try {
    return store.headObject(bucket, key).etag;
  } catch {
    return undefined;
  }
}

function unquoted(etag: string | string[] | undefined): string {
  return String(etag).replaceAll('"', '');
}

/** S3's protocol: members of an input are in the path, the query and the headers, and some in an XML body. */
import { crc32Of } from './crc32';
import { createException, type Exceptions, metadataOf, retryAfterMsOf } from './errors';
import type { HttpResponse } from './exchange';
import { commandOf, type OperationRequest } from './operation';
import { encodeUri } from './sign';

/** The headers and query parameters of the members that the commands support. */
const headerNames: Readonly<Record<string, string>> = {
  ChecksumCRC32: 'x-amz-checksum-crc32',
  ChecksumSHA256: 'x-amz-checksum-sha256',
  ContentType: 'content-type',
  IfMatch: 'if-match',
  IfNoneMatch: 'if-none-match',
  Range: 'range',
};
const queryNames: Readonly<Record<string, string>> = {
  ContinuationToken: 'continuation-token',
  MaxKeys: 'max-keys',
  PartNumber: 'partNumber',
  Prefix: 'prefix',
  StartAfter: 'start-after',
  UploadId: 'uploadId',
};
const otherMembers = ['Bucket', 'Key', 'Body', 'MultipartUpload'];

type Input = Readonly<Record<string, unknown>>;

interface S3Operation<Output> {
  readonly method: 'DELETE' | 'GET' | 'POST' | 'PUT';
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The document in the body, if it is not bytes. */
  readonly documentOf?: (input: never) => string;
  readonly read: (response: HttpResponse) => Output;
  readonly isStreamed?: boolean;
  /** Whether S3 may answer 200 and report an error in the body. */
  readonly mayFailLate?: boolean;
}

const pick = (input: Input, names: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(input).flatMap(([member, value]) => {
    const name = names[member];
    return name === undefined || value === undefined ? [] : [[name, String(value)] as [string, string]];
  });

const refuseOthers = (input: Input): void => {
  const other = Object.keys(input).find(
    (member) => !(member in headerNames || member in queryNames || otherMembers.includes(member)),
  );
  if (other !== undefined) throw new Error(`This bundle's S3 client does not support "${other}".`);
};

const pathOf = ({ Key }: Input): string =>
  Key === undefined ? '/' : `/${String(Key).split('/').map(encodeUri).join('/')}`;

const bytesOf = ({ Body }: Input): string | Uint8Array => {
  if (Body === undefined || typeof Body === 'string' || Body instanceof Uint8Array) return Body ?? '';
  throw new Error("This bundle's S3 client sends strings and bytes only.");
};

/** Of an upload: S3 computes the checksum as well, and refuses other bytes. */
const checksumHeaders = (body: string | Uint8Array, given: Readonly<Record<string, string>>) =>
  'x-amz-checksum-crc32' in given || 'x-amz-checksum-sha256' in given
    ? {}
    : { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of(body) };

const serialize = <Output>(input: Input, operation: S3Operation<Output>): OperationRequest => {
  refuseOthers(input);
  const { method, documentOf } = operation;
  const body = documentOf ? documentOf(input as never) : bytesOf(input);
  const given = Object.fromEntries(pick(input, headerNames));
  const isUpload = method === 'PUT';
  return {
    method,
    bucket: String(input.Bucket),
    path: pathOf(input),
    query: [...Object.entries(operation.query ?? {}), ...pick(input, queryNames)],
    headers: {
      ...(isUpload && { 'content-type': 'application/octet-stream', ...checksumHeaders(body, given) }),
      ...operation.headers,
      ...given,
      ...((isUpload || body.length > 0) && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    body,
  };
};

const entities: Readonly<Record<string, string>> = { amp: '&', apos: "'", gt: '>', lt: '<', quot: '"' };

/**
 * The text of an element of an error. S3's errors are flat, so that bundles without lists and uploads of several parts need
 * no parser.
 */
const elementOf = (document: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(document)?.[1]
    ?.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (text, hex?: string, decimal?: string, entity = '') =>
      hex || decimal ? String.fromCodePoint(Number(hex ? `0x${hex}` : decimal)) : (entities[entity] ?? text),
    );

const readError = (response: HttpResponse, exceptions: Exceptions, mayFailLate: boolean): Error | undefined => {
  const { status, headers, body } = response;
  const isLate = mayFailLate && status < 300 && /^\s*$|<\/Error>\s*$/.test(body.toString());
  if (status < 300 && !isLate) return undefined;
  // The SDK also treats a late error as a 503, which is retried.
  const $metadata = metadataOf(isLate ? { ...response, status: 503 } : response);
  // A proxy or a load balancer may have answered. Its status decides about a retry.
  const document = body.toString();
  const fallback = status === 404 ? 'NotFound' : isLate ? 'InternalError' : 'Unknown';
  return createException(exceptions, {
    name: elementOf(document, 'Code') ?? fallback,
    message: elementOf(document, 'Message') ?? 'UnknownError',
    $metadata: { ...$metadata, requestId: $metadata.requestId ?? elementOf(document, 'RequestId') },
    retryAfterMs: retryAfterMsOf({ status, headers, body }),
    fields: { Code: elementOf(document, 'Code'), Key: elementOf(document, 'Key') },
  });
};

/** @returns a function that makes the class of an operation's command */
export const s3Commands =
  (exceptions: Exceptions) =>
  <CommandInput extends object, Output>(operation: S3Operation<Output>) =>
    commandOf<CommandInput, Output>({
      serialize: (input) => serialize({ ...(input as Input) }, operation),
      deserialize: operation.read,
      readError: (response) => readError(response, exceptions, operation.mayFailLate ?? false),
      isStreamed: operation.isStreamed ?? false,
    });

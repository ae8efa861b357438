import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';
import { type ApiName, PipelineError } from '../errors';

/** Sent with every request: the content codings that {@link readBody} decodes. */
export const acceptEncoding = 'gzip, br, deflate';

type Decode = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>;

const inflateWrapped: Decode = promisify(inflate);
const inflateBare: Decode = promisify(inflateRaw);
const gunzipAll: Decode = promisify(gunzip);

const isTooLarge = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/** `deflate` is the zlib format (RFC 9110, 8.4.1.2), but some servers send a raw deflate stream without its header. */
const inflateEither: Decode = async (bytes, options) => {
  try {
    return await inflateWrapped(bytes, options);
  } catch (error) {
    if (isTooLarge(error)) throw error;
    return inflateBare(bytes, options);
  }
};

const decoders: ReadonlyMap<string, Decode> = new Map([
  ['gzip', gunzipAll],
  ['x-gzip', gunzipAll],
  ['br', promisify(brotliDecompress) as Decode],
  ['deflate', inflateEither],
]);

/** Servers apply one or two codings. Decoding each one costs a pass over up to `maxBytes`. */
const maxCodings = 4;
/** Node's default of 16 KiB takes four times as long for a body of 10 MiB, and a small body costs the same. */
const decodedChunkBytes = 64 * 1_024;
const printableCoding = /^[a-z0-9-]{1,20}$/;

/** The memory that one body may use. */
export interface BodyMemory {
  /** A body of up to this size needs no reservation. */
  readonly smallBytes: number;
  /** Reserves memory for a body of `bytes`, instead of the one before. @returns whether there is enough now */
  tryReserve(bytes: number): boolean;
}

export interface BodyOptions {
  readonly api: ApiName;
  /** Limit of the received bytes, and of the output of each decoder: a few kB can decode to gigabytes. */
  readonly maxBytes: number;
  /** Whether a longer body is cut at `maxBytes` instead of rejected. Applies to bodies without a coding. */
  readonly mayBeCut: boolean;
  /** The `content-length` header. */
  readonly contentLength?: string | readonly string[] | undefined;
  /** Default: unlimited. */
  readonly memory?: BodyMemory | undefined;
}

/**
 * There is no memory for a body now, so it was not read. Not retryable by itself: the caller first has to wait until there
 * are `bytes`.
 */
export class BodyPostponedError extends PipelineError {
  constructor(
    api: ApiName,
    /** Of the body, or the maximum if its size is unknown. */
    readonly bytes: number,
  ) {
    super('TIMEOUT', `There is no memory now for a response of the ${api} API`, { api, retryable: false });
  }
}

const fault = (api: ApiName, problem: string, options: { readonly retryable: boolean; readonly cause?: unknown }) =>
  new PipelineError('BAD_ANSWER', `The ${api} API answered ${problem}`, { api, ...options });

const tooLarge = ({ api, maxBytes }: BodyOptions, cause?: unknown): PipelineError =>
  fault(api, `more than ${maxBytes} bytes`, { retryable: false, cause });

/** Reserves memory once a body proves not to be small: how long the decoded body is, only its end shows. */
const createAdmission = ({ api, maxBytes, memory }: BodyOptions) => {
  let admittedBytes = memory?.smallBytes ?? maxBytes;
  return {
    /** What may be held now. */
    admittedBytes: (): number => Math.min(admittedBytes, maxBytes),
    /** @throws {BodyPostponedError} */
    admit: (heldBytes: number, expectedBytes = maxBytes): void => {
      if (memory === undefined || heldBytes <= admittedBytes) return;
      const bytes = Math.min(Math.max(heldBytes, expectedBytes), maxBytes);
      if (!memory.tryReserve(bytes)) throw new BodyPostponedError(api, bytes);
      admittedBytes = bytes;
    },
  };
};

type Admission = ReturnType<typeof createAdmission>;

const receive = async (
  body: AsyncIterable<Buffer>,
  { admit }: Admission,
  contentLength: number | undefined,
  options: BodyOptions,
): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    admit(Math.max(size, contentLength ?? 0), contentLength);
    if (size <= options.maxBytes) continue;
    if (!options.mayBeCut) throw tooLarge(options);
    break;
  }
  return Buffer.concat(chunks, Math.min(size, options.maxBytes));
};

const codingsIn = (header: string | readonly string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap((value) => value.toLowerCase().split(','))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');

const lengthIn = (header: string | readonly string[] | undefined): number | undefined =>
  typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;

/**
 * Reads a whole body and decodes it by the codings in the `content-encoding` header, the last one first (RFC 9110, 8.4),
 * whether we requested them or not (docs/contracts/qualia.md, section 2).
 *
 * It uses `node:zlib` instead of undici's interceptor, which adds 6 kB to every bundle that calls an API, passes on
 * unknown codings silently, and does not read a raw deflate stream.
 *
 * @throws {BodyPostponedError} if there is no memory for it now
 * @throws {PipelineError} `BAD_ANSWER`: retryable for an unknown coding or damaged bytes, permanent for too many bytes
 */
export const readBody = async (
  body: AsyncIterable<Buffer>,
  contentEncoding: string | readonly string[] | undefined,
  options: BodyOptions,
): Promise<Buffer> => {
  const { api, maxBytes } = options;
  const codings = codingsIn(contentEncoding);
  const admission = createAdmission(options);
  const length = codings.length > 0 ? undefined : lengthIn(options.contentLength);
  let bytes = await receive(body, admission, length, options);
  if (bytes.length === 0) return bytes;
  if (codings.length > maxCodings) {
    throw fault(api, `in ${codings.length} content encodings at once`, { retryable: true });
  }
  for (const coding of codings.reverse()) {
    const decode = decoders.get(coding);
    if (decode === undefined) {
      const name = printableCoding.test(coding) ? coding : 'with no readable name';
      throw fault(api, `in a content encoding that we cannot decode (${name})`, { retryable: true });
    }
    const decodeUpTo = (bytesOut: number) => decode(bytes, { maxOutputLength: bytesOut, chunkSize: decodedChunkBytes });
    try {
      const admittedBytes = admission.admittedBytes();
      bytes = await decodeUpTo(admittedBytes).catch((error: unknown) => {
        if (!isTooLarge(error) || admittedBytes === maxBytes) throw error;
        admission.admit(maxBytes);
        return decodeUpTo(maxBytes);
      });
    } catch (cause) {
      if (cause instanceof BodyPostponedError) throw cause;
      if (isTooLarge(cause)) throw tooLarge(options, cause);
      throw fault(api, `bytes that are not ${coding}, as its content encoding says`, { retryable: true, cause });
    }
  }
  return bytes;
};

import { errors, Pool } from 'undici';
import { type ApiName, type ErrorCode, PipelineError } from '../errors';
import { acceptEncoding, type BodyMemory, readBody } from './body';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, below the API's origin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ApiResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * Decoded. Complete if the status is 2xx. With any other status it may be cut at `maxFailureBytes`, and it is empty if
   * it could not be read. Always empty if the call does not need it.
   */
  readonly body: Buffer;
  /** The attempt that got this response, from 1. */
  readonly attempt: number;
  /** From sending the request to the last byte of the response, in this attempt. */
  readonly responseTimeMs: number;
}

/** A request, the same in every attempt. */
export interface ExchangeRequest {
  readonly request: ApiRequest;
  /** Whether the caller needs the body of a response with this status. Default: always. */
  readonly needsBody?: (statusCode: number) => boolean;
  /** Ids for the log, without personal data. */
  readonly about?: Readonly<Record<string, string | undefined>>;
}

/** One attempt of a call, for the log. */
export interface CallRecord {
  readonly api: ApiName;
  readonly method: string;
  /** Without the query. `*` replaces each segment that does not have the form of an id. */
  readonly path: string;
  readonly attempt: number;
  /** Undefined without a response. */
  readonly statusCode?: number;
  /** Why there was no response, or no usable one. */
  readonly errorCode?: ErrorCode;
  readonly durationMs: number;
  readonly about: Readonly<Record<string, string | undefined>>;
}

/** Makes requests to one origin: undici's pool, as far as we use it. */
export interface Connection {
  request(options: {
    readonly method: ApiRequest['method'];
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string | null;
    readonly signal: AbortSignal;
  }): Promise<{
    readonly statusCode: number;
    readonly headers: ApiResponse['headers'];
    readonly body: AsyncIterable<Buffer> & {
      destroy(): unknown;
      dump(options: { readonly limit: number }): Promise<unknown>;
    };
  }>;
  close(): Promise<void>;
}

export interface ExchangeOptions {
  readonly api: ApiName;
  /** For example `https://marketplace.qualia.io`. All calls go to it. */
  readonly origin: string;
  /** Maximum number of connections, kept alive. */
  readonly connections: number;
  /** A larger body, before or after decoding, is `BAD_ANSWER`, permanent: it would use the memory of other calls. */
  readonly maxResponseBytes: number;
  /** The same for a response other than 2xx, which is cut. Default: `maxResponseBytes`. */
  readonly maxFailureBytes?: number;
  readonly maxAttempts: number;
  readonly now: () => number;
  /** Default: a pool of connections to `origin`. */
  readonly connection?: Connection;
  /** Called after each attempt. */
  readonly onCall?: (made: CallRecord) => void;
}

/** Four times Node's default: a response rejected for its headers may belong to a POST that took effect. */
const maxHeaderBytes = 64 * 1_024;
/** Up to this much of an unneeded body is read, for at most this long, so that its connection can be reused. */
const discard = { maxBytes: 64 * 1_024, maxMs: 1_000 };

/** Whether a status is 2xx. */
export const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

const idPattern = /^[\w.~-]{0,128}$/;

/** `/jobs/j1/subjects?page=2` becomes `/jobs/j1/subjects`; a segment that is not an id becomes `*`. */
const loggablePath = (path: string): string =>
  (path.split(/[?#]/)[0] ?? '')
    .split('/')
    .map((segment) => (idPattern.test(segment) ? segment : '*'))
    .join('/');

const createPool = ({ origin, connections }: ExchangeOptions): Connection =>
  new Pool(origin, {
    connections,
    // Takes precedence over NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment.
    connect: { rejectUnauthorized: true },
    // The signal of an attempt limits its total time.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
  });

/** The connections of one API: makes single requests and decides for each failure whether it is retryable. */
export const createExchange = (options: ExchangeOptions) => {
  const { api, now, onCall, connection = createPool(options), maxResponseBytes } = options;
  const { maxFailureBytes = maxResponseBytes } = options;

  const toFault = (cause: unknown, signal: AbortSignal, timeoutMs: number, attempt: number): PipelineError => {
    if (cause instanceof PipelineError) return cause;
    if (cause instanceof errors.HeadersOverflowError) {
      const message = `The ${api} API answered more than ${maxHeaderBytes} bytes of headers`;
      // The request may have taken effect, so it is retried, but not forever.
      const retryable = attempt < options.maxAttempts;
      return new PipelineError('BAD_ANSWER', message, { api, retryable, cause });
    }
    const problem = { api, retryable: true, cause };
    return signal.aborted
      ? new PipelineError('TIMEOUT', `The ${api} API did not answer within ${timeoutMs} ms`, problem)
      : new PipelineError('CONNECTION_FAULT', `The connection to the ${api} API failed`, problem);
  };

  return {
    /**
     * @param memory for the body of a 2xx. Default: unlimited
     * @throws {BodyPostponedError} if there is no memory for the body now
     * @throws {PipelineError} `TIMEOUT`, `CONNECTION_FAULT`, or `BAD_ANSWER` for an unreadable response
     */
    send: async (
      { request, needsBody = () => true, about = {} }: ExchangeRequest,
      timeoutMs: number,
      attempt: number,
      memory?: BodyMemory,
    ): Promise<ApiResponse> => {
      const { method, path, body = null } = request;
      const startedAtMs = now();
      const signal = AbortSignal.timeout(timeoutMs);
      let statusCode: number | undefined;
      const report = (errorCode?: ErrorCode): void =>
        onCall?.({
          api,
          method,
          path: loggablePath(path),
          attempt,
          about,
          ...(statusCode !== undefined && { statusCode }),
          ...(errorCode && { errorCode }),
          durationMs: now() - startedAtMs,
        });
      try {
        const requestHeaders = { 'accept-encoding': acceptEncoding, ...request.headers };
        const response = await connection.request({ method, path, headers: requestHeaders, body, signal });
        const { headers } = response;
        const status = response.statusCode;
        statusCode = status;
        const toResponse = (bytes: Buffer): ApiResponse => {
          report();
          return { statusCode: status, headers, body: bytes, attempt, responseTimeMs: now() - startedAtMs };
        };
        if (!needsBody(status)) {
          // Not awaited: it does not matter whether this body breaks off or never ends.
          const timer = setTimeout(() => response.body.destroy(), discard.maxMs).unref();
          void response.body.dump({ limit: discard.maxBytes }).finally(() => clearTimeout(timer));
          return toResponse(Buffer.alloc(0));
        }
        const mayBeCut = !isSuccess(status);
        const bytes = readBody(response.body, headers['content-encoding'], {
          api,
          maxBytes: mayBeCut ? maxFailureBytes : maxResponseBytes,
          mayBeCut,
          contentLength: headers['content-length'],
          memory: mayBeCut ? undefined : memory,
        });
        return toResponse(isSuccess(status) ? await bytes : await bytes.catch(() => Buffer.alloc(0)));
      } catch (cause) {
        const fault = toFault(cause, signal, timeoutMs, attempt);
        report(fault.code);
        throw fault;
      }
    },

    close: (): Promise<void> => connection.close(),
  };
};

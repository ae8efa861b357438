import { errors, Pool } from 'undici';
import { type ApiName, type ErrorCode, PipelineError } from '../errors';
import { acceptEncoding, readBody } from './body';

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
   * Decoded; whole if the status is a success. With any other status, which decides by itself, it may be cut at
   * `maxResponseBytes`, and is empty if it could not be read. Empty, too, where the call has no use for it.
   */
  readonly body: Buffer;
  /** The try that brought this answer, from 1. */
  readonly attempt: number;
  /** From the send to the last byte of this try. */
  readonly responseTimeMs: number;
}

/** A request as it is made in one try. */
export interface ExchangeRequest {
  readonly request: ApiRequest;
  /** Whether the body matters to the caller, given the status. It does by default. */
  readonly needsBody?: (statusCode: number) => boolean;
  /** What the call is about, for the log: ids, no personal data. */
  readonly about?: Readonly<Record<string, string | undefined>>;
}

/** One try at a call, for the log. */
export interface CallRecord {
  readonly api: ApiName;
  readonly method: string;
  /** Without the query, and without segments that could hold anything else than an id. */
  readonly path: string;
  readonly attempt: number;
  /** Absent when no answer came. */
  readonly statusCode?: number;
  /** Why there was no answer, or none that can be used. */
  readonly errorCode?: ErrorCode;
  readonly durationMs: number;
  readonly about: Readonly<Record<string, string | undefined>>;
}

export interface ExchangeOptions {
  readonly api: ApiName;
  /** Such as `https://marketplace.qualia.io`; no call leaves it. */
  readonly origin: string;
  /** Maximum number of connections, kept alive. */
  readonly connections: number;
  /** A larger body, as sent or decoded, is `BAD_ANSWER`, permanent: it would use up the memory of other calls. */
  readonly maxResponseBytes: number;
  readonly maxAttempts: number;
  readonly now: () => number;
  /** Called after each try. */
  readonly onCall?: (made: CallRecord) => void;
}

/** Four times what Node allows: a response that is refused for its headers may be one to an accepted POST. */
const maxHeaderBytes = 64 * 1_024;
/** Of a body that is not needed, this much is read, for this long, to keep its connection. */
const discard = { maxBytes: 64 * 1_024, maxMs: 1_000 };

/** Whether a status says that the request was done: 2xx. */
export const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

const idPattern = /^[\w.~-]{0,128}$/;

/** `/jobs/j1/subjects?page=2` is `/jobs/j1/subjects`; a segment that is no id becomes `*`. */
const loggablePath = (path: string): string =>
  (path.split(/[?#]/)[0] ?? '')
    .split('/')
    .map((segment) => (idPattern.test(segment) ? segment : '*'))
    .join('/');

/** One API's connections: makes single requests, and says of each failure whether another try makes sense. */
export const createExchange = (options: ExchangeOptions) => {
  const { api, now, onCall } = options;
  const pool = new Pool(options.origin, {
    connections: options.connections,
    // Wins over NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment.
    connect: { rejectUnauthorized: true },
    // The time of a try is bounded as a whole, by its signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
  });

  const toFault = (cause: unknown, signal: AbortSignal, timeoutMs: number, attempt: number): PipelineError => {
    if (cause instanceof PipelineError) return cause;
    if (cause instanceof errors.HeadersOverflowError) {
      const said = `answered more than ${maxHeaderBytes} bytes of headers`;
      // The request may have been done all the same, so it is tried again, but not forever.
      const retryable = attempt < options.maxAttempts;
      return new PipelineError('BAD_ANSWER', `The ${api} API ${said}`, { api, retryable, cause });
    }
    const problem = { api, retryable: true, cause };
    return signal.aborted
      ? new PipelineError('TIMEOUT', `The ${api} API did not answer within ${timeoutMs} ms`, problem)
      : new PipelineError('CONNECTION_FAULT', `The connection to the ${api} API failed`, problem);
  };

  return {
    /** @throws {PipelineError} `TIMEOUT`, `CONNECTION_FAULT`, or `BAD_ANSWER` for an answer that cannot be read */
    send: async (
      { request, needsBody = () => true, about = {} }: ExchangeRequest,
      timeoutMs: number,
      attempt: number,
    ): Promise<ApiResponse> => {
      const { method, path, body = null } = request;
      const startedAtMs = now();
      const signal = AbortSignal.timeout(timeoutMs);
      let statusCode: number | undefined;
      const report = (errorCode?: ErrorCode): void =>
        onCall?.({
          ...{ api, method, path: loggablePath(path), attempt, about },
          ...(statusCode !== undefined && { statusCode }),
          ...(errorCode && { errorCode }),
          durationMs: now() - startedAtMs,
        });
      try {
        const requestHeaders = { 'accept-encoding': acceptEncoding, ...request.headers };
        const answer = await pool.request({ method, path, headers: requestHeaders, body, signal });
        const { headers } = answer;
        const status = answer.statusCode;
        statusCode = status;
        const answered = (bytes: Buffer): ApiResponse => {
          report();
          return { statusCode: status, headers, body: bytes, attempt, responseTimeMs: now() - startedAtMs };
        };
        if (!needsBody(status)) {
          // Not waited for: a body that breaks off or never ends changes nothing.
          const timer = setTimeout(() => answer.body.destroy(), discard.maxMs).unref();
          void answer.body.dump({ limit: discard.maxBytes }).finally(() => clearTimeout(timer));
          return answered(Buffer.alloc(0));
        }
        const bytes = readBody(answer.body, headers['content-encoding'], {
          api,
          maxBytes: options.maxResponseBytes,
          mayBeCut: !isSuccess(status),
        });
        return answered(isSuccess(status) ? await bytes : await bytes.catch(() => Buffer.alloc(0)));
      } catch (cause) {
        const fault = toFault(cause, signal, timeoutMs, attempt);
        report(fault.code);
        throw fault;
      }
    },

    close: (): Promise<void> => pool.close(),
  };
};

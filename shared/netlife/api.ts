import type { Secret } from '../aws/secret';
import { PipelineError, toPipelineError } from '../errors';
import {
  type ApiClientOptions,
  type ApiResponse,
  createApiClient,
  expectSuccess,
  type FailedAttempt,
  OutOfTimeError,
} from '../http/api-client';
import { fullJitterMs, type Random } from '../http/backoff';
import { withCredential } from '../http/credential';
import { createPace } from '../http/pace';
import { parseJsonAsWritten } from '../json';
import type { NetlifeLogin } from './credential';
import type { FetchedPage } from './pages';
import type { Portal } from './portals';
import type { Tally } from './tally';

export interface PortalApiOptions {
  readonly portal: Portal;
  readonly login: Secret<NetlifeLogin>;
  /** As the secret holds it at the start. */
  readonly rateLimitPerSecond: number;
  /** One try; the last try of a slow call takes 120 s. */
  readonly timeoutMs: number;
  /** Epoch ms: no try goes on beyond it. For ever unless told. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** For the log: a try failed, and another will be made. */
  readonly onRetry?: (failed: FailedAttempt) => void;
  readonly onCall?: ApiClientOptions['onCall'];
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly random?: Random;
}

export interface PortalCall<T = unknown> {
  readonly method?: 'GET' | 'POST';
  /** Path and query, from the origin on. */
  readonly path: string;
  readonly body?: unknown;
  /** The last try may take 120 s: large jobs. */
  readonly slow?: boolean | undefined;
  /** The job that the call is counted for. */
  readonly job?: string | undefined;
  /** Asked before another try of what must not be done twice: the answer, if it is done. */
  readonly look?: () => Promise<T | undefined>;
}

/** A large job lists tens of thousands of subjects on one page. */
const maxResponseBytes = 64 * 1024 * 1024;
const maxAttempts = 3;
const slowTimeoutMs = 120_000;
const baseWaitMs = 1_500;
const waitFactor = 1.5;
const maxWaitMs = 30_000;
/** Enough for 10 jobs of 10 calls each at once. */
const connections = 100;
/** A little above the 95 % that we want, since timers are late now and then; the rest is room for the network. */
const utilization = 0.962;

/** Whether a portal refused our login (401, 403): no further call will be made to it. */
export const isLoginRefusal = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && error.code === 'API_REFUSED' && [401, 403].includes(error.statusCode ?? 0);

const readJson = ({ body, statusCode }: ApiResponse): unknown => {
  // Ids and phone numbers can be numbers, and keep their digits.
  const json = parseJsonAsWritten(body);
  if (json !== undefined) return json;
  throw new PipelineError('BAD_ANSWER', 'Netlife answered something else than JSON', {
    api: 'netlife',
    retryable: true,
    statusCode,
  });
};

/**
 * One portal's API: its pace, its tries, its credentials. After a refused login every further call is refused at once,
 * those that wait for their turn included. Counts calls, failures and retries in `tally`.
 */
export const createPortalApi = (options: PortalApiOptions, tally: Tally) => {
  const { portal, login, timeoutMs, onRetry, now = () => Date.now(), random = Math.random } = options;
  const refused = new AbortController();
  const clock = options.sleep === undefined ? {} : { now, sleep: options.sleep };
  const api = createApiClient({
    api: 'netlife',
    origin: portal.origin,
    connections,
    maxResponseBytes,
    timeoutMs: () => timeoutMs,
    maxAttempts,
    waitMs: (attempt) => fullJitterMs(attempt, baseWaitMs, maxWaitMs, random, waitFactor),
    maxWaitMs,
    pace: createPace({ callsPerSecond: options.rateLimitPerSecond, utilization, signal: refused.signal, ...clock }),
    now,
    ...(options.sleep && { sleep: options.sleep }),
    ...(options.onCall && { onCall: options.onCall }),
  });

  const wasNotSent = (error: unknown): boolean =>
    (refused.signal.aborted && error === refused.signal.reason) ||
    (error instanceof OutOfTimeError && error.lastAttempt === undefined);

  const send = async <T>(
    call: PortalCall<T>,
    read: (answer: ApiResponse) => T,
    needsBody?: () => boolean,
  ): Promise<T> => {
    const { method = 'GET', path, body, slow = false, job, look } = call;
    try {
      return await withCredential(login, ({ username, password }) =>
        api.call({
          request: {
            method,
            path,
            headers: {
              accept: 'application/json',
              authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          },
          read: (answer) => {
            expectSuccess(answer, 'netlife', now(), maxWaitMs);
            return read(answer);
          },
          context: {
            deadlineMs: options.deadlineMs ?? Number.POSITIVE_INFINITY,
            ...(options.signal && { signal: options.signal }),
            onRetry: (failed) => {
              tally.count({ retries: 1 }, job);
              onRetry?.(failed);
            },
          },
          timeoutMs: (attempt) => (slow && attempt === maxAttempts ? Math.max(slowTimeoutMs, timeoutMs) : timeoutMs),
          onAttempt: () => tally.count({ api_calls_total: 1 }, job),
          about: { job_uuid: job },
          ...(look && { findCompleted: look }),
          ...(needsBody && { needsBody }),
        }),
      );
    } catch (thrown) {
      if (wasNotSent(thrown)) throw thrown;
      tally.count({ api_calls_failed: 1 }, job);
      const error = toPipelineError(thrown);
      if (!isLoginRefusal(error)) throw error;
      const refusal = new PipelineError(
        'API_REFUSED',
        `The portal ${portal.name} refused our login or what it asked for (${error.statusCode})`,
        { api: 'netlife', retryable: false, statusCode: error.statusCode, cause: error },
      );
      refused.abort(refusal);
      throw refusal;
    }
  };

  return {
    /**
     * One call, with its tries, answered by JSON.
     *
     * @throws {PipelineError} permanent: `API_REFUSED`, see {@link isLoginRefusal}; retryable, after 3 tries:
     * `RATE_LIMITED`, `API_UNAVAILABLE`, `TIMEOUT`, `CONNECTION_FAULT`, `BAD_ANSWER` when it was no JSON
     */
    fetchJson: (call: PortalCall): Promise<unknown> => send(call, readJson),

    /** The same, with the status and the headers, which may say that there are more pages. */
    fetchPage: (call: PortalCall<FetchedPage>): Promise<FetchedPage> =>
      send(call, (answer) => ({ json: readJson(answer), statusCode: answer.statusCode, headers: answer.headers })),

    /** One call of which only the status counts: resolves on any 2xx. */
    check: (call: PortalCall<void>): Promise<void> =>
      send(
        call,
        () => undefined,
        () => false,
      ),

    close: api.close,
  };
};

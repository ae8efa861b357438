import type { Secret } from '../aws/secret';
import { PipelineError, toPipelineError } from '../errors';
import {
  type ApiClientOptions,
  type ApiResponse,
  type CallContext,
  createApiClient,
  expectSuccess,
  type FailedAttempt,
  OutOfTimeError,
} from '../http/api-client';
import { fullJitterMs, type Random } from '../http/backoff';
import { withCredential } from '../http/credential';
import type { Connection } from '../http/exchange';
import { createPace } from '../http/pace';
import { parseJsonAsWritten } from '../json';
import type { NetlifeLogin } from './credential';
import type { FetchedPage } from './pages';
import type { Portal } from './portals';
import type { Tally } from './tally';

export interface PortalApiOptions {
  readonly portal: Portal;
  readonly login: Secret<NetlifeLogin>;
  /** Value in the secret at the start. */
  readonly rateLimitPerSecond: number;
  /** Timeout of one try. The last try of a slow call has 120 s. */
  readonly timeoutMs: number;
  /** Epoch ms at which every try ends. Default: none. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly keepLeases?: CallContext['keepLeases'];
  /** Called when a try failed and another follows. */
  readonly onRetry?: (failed: FailedAttempt) => void;
  readonly onCall?: ApiClientOptions['onCall'];
  /** Default: connections to the portal. */
  readonly connection?: Connection;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly random?: Random;
}

export interface PortalCall<T = unknown> {
  readonly method?: 'GET' | 'POST';
  /** Path and query, from the origin. */
  readonly path: string;
  readonly body?: unknown;
  /** The last try may take 120 s, for large jobs. */
  readonly slow?: boolean | undefined;
  /** The job that the call is counted for. */
  readonly job?: string | undefined;
  /**
   * Called before another try of a call that must not take effect twice. @returns the result, if it already took effect
   */
  readonly findCompleted?: () => Promise<T | undefined>;
}

/** One page of a large job has tens of thousands of subjects. */
const maxResponseBytes = 64 * 1024 * 1024;
const maxAttempts = 3;
const slowTimeoutMs = 120_000;
const baseWaitMs = 1_500;
const waitFactor = 1.5;
const maxWaitMs = 30_000;
/** Enough for 10 jobs of 10 calls each at once. */
const connections = 100;
/** Slightly above the required 95 %, because timers are sometimes late. The rest is room for network jitter. */
const utilization = 0.962;

/** Whether a portal refused our login (401, 403). No further call is made to it. */
export const isLoginRefusal = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && error.code === 'API_REFUSED' && [401, 403].includes(error.statusCode ?? 0);

const readJson = ({ body, statusCode }: ApiResponse): unknown => {
  // Ids and phone numbers may be numbers; they keep all digits.
  const json = parseJsonAsWritten(body);
  if (json !== undefined) return json;
  throw new PipelineError('BAD_ANSWER', 'The response of Netlife is not JSON', {
    api: 'netlife',
    retryable: true,
    statusCode,
  });
};

/**
 * One portal's API: pace, tries and credentials. After a refused login every further call fails at once, including
 * calls that wait for a slot. Counts calls, failures and retries in `tally`.
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
    ...(options.connection && { connection: options.connection }),
  });

  const wasNotSent = (error: unknown): boolean =>
    (refused.signal.aborted && error === refused.signal.reason) ||
    (error instanceof OutOfTimeError && error.lastAttempt === undefined);

  const send = async <T>(
    call: PortalCall<T>,
    read: (response: ApiResponse) => T,
    needsBody?: () => boolean,
  ): Promise<T> => {
    const { method = 'GET', path, body, slow = false, job, findCompleted } = call;
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
          read: (response) => {
            expectSuccess(response, 'netlife', now(), maxWaitMs);
            return read(response);
          },
          context: {
            deadlineMs: options.deadlineMs ?? Number.POSITIVE_INFINITY,
            ...(options.signal && { signal: options.signal }),
            ...(options.keepLeases && { keepLeases: options.keepLeases }),
            onRetry: (failed) => {
              tally.count({ retries: 1 }, job);
              onRetry?.(failed);
            },
          },
          timeoutMs: (attempt) => (slow && attempt === maxAttempts ? Math.max(slowTimeoutMs, timeoutMs) : timeoutMs),
          onAttempt: () => tally.count({ api_calls_total: 1 }, job),
          about: { job_uuid: job },
          ...(findCompleted && { findCompleted }),
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
     * One call with its tries, whose response is JSON.
     *
     * @throws {PipelineError} permanent: `API_REFUSED`, see {@link isLoginRefusal}; retryable, after 3 tries:
     * `RATE_LIMITED`, `API_UNAVAILABLE`, `TIMEOUT`, `CONNECTION_FAULT`, `BAD_ANSWER` if it was no JSON
     */
    fetchJson: (call: PortalCall): Promise<unknown> => send(call, readJson),

    /** Like `fetchJson`, with the status and headers, which may announce more pages. */
    fetchPage: (call: PortalCall<FetchedPage>): Promise<FetchedPage> =>
      send(call, (response) => ({
        json: readJson(response),
        statusCode: response.statusCode,
        headers: response.headers,
      })),

    /** One call whose body is ignored: resolves on any 2xx. */
    check: (call: PortalCall<void>): Promise<void> =>
      send(
        call,
        () => undefined,
        () => false,
      ),

    close: api.close,
  };
};

export type PortalApi = ReturnType<typeof createPortalApi>;

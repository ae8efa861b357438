import { bulkhead } from 'cockatiel';
import type { Secret } from '../aws/secret';
import { PipelineError } from '../errors';
import {
  type ApiClientOptions,
  type ApiResponse,
  type CallContext,
  createApiClient,
  OutOfTimeError,
} from '../http/api-client';
import type { Random } from '../http/backoff';
import { withCredential } from '../http/credential';
import type { ApiRequest, Connection } from '../http/exchange';
import { createPace, type Pace } from '../http/pace';
import { type Authenticate, authenticateByKey, createJwtAuthentication, type IterableCredential } from './auth';
import { bulkBody } from './batches';
import { allFailed, readBulk, shareOut } from './bulk-response';
import type { StoredFields } from './confirmation';
import { callsPerSecond } from './limits';
import {
  type CallResponse,
  type CallResult,
  KeyRefusedError,
  type Redact,
  RefusedError,
  readKeyCheck,
  readSingle,
  readStored,
  readTokenCheck,
} from './responses';
import { type IterableUser, toEvent, toProfile, type Viewer } from './rows';

/** The calls (docs/contracts/iterable.md); `callsPerSecond` is Iterable's limit for the project. */
const iterableCalls = {
  updateUser: { path: '/api/users/update', callsPerSecond: callsPerSecond.updateUser },
  updateUsers: { path: '/api/users/bulkUpdate', callsPerSecond: callsPerSecond.updateUsers },
  trackEvent: { path: '/api/events/track', callsPerSecond: callsPerSecond.trackEvent },
  trackEvents: { path: '/api/events/trackBulk', callsPerSecond: callsPerSecond.trackEvents },
  readProfile: { path: '/api/users/getByEmail', callsPerSecond: callsPerSecond.readProfile },
} as const;

/** A Lambda can open 1,024 files: 124 are left for AWS and the process itself. */
export const iterableConnections = 900;

export type IterableCall = keyof typeof iterableCalls;

export interface IterableClientOptions {
  /** `https://api.iterable.com` or `https://api.eu.iterable.com`. */
  readonly baseUrl: string;
  readonly credential: Secret<IterableCredential>;
  /** Sends a token for each user in addition to the key. Such a client has no bulk calls. */
  readonly useJwt: boolean;
  /** Epoch ms. */
  readonly now: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly onCall?: ApiClientOptions['onCall'];
  /** Default: connections to `baseUrl`. */
  readonly connection?: Connection;
  readonly random?: Random;
  /** Replaces Iterable's default limits, for a project with others. */
  readonly callsPerSecond?: Partial<Readonly<Record<IterableCall, number>>>;
}

type BulkCall = Extract<IterableCall, 'updateUsers' | 'trackEvents'>;

/** Shared by the halves of one batch. */
interface Halving {
  /**
   * A batch of one failed without being named. Halving a batch of which all users failed then gives no new information.
   */
  givesNoNames: boolean;
}

/** The address that a check of a token asks for. Its domain is reserved: nobody has it. */
const checkedEmail = 'preflight@example.com';
/** A bulk response names at most its 1,000 users. */
const maxResponseBytes = 4 * 1024 * 1024;
const timeoutMs = 10_000;
const maxAttempts = 3;
/**
 * What is left of a second is room for jitter on the way: 15 ms, and 10 ms while calls catch up after the process was
 * kept from the CPU. With no difference between the two, every delay would stay, and cost half a percent of the pace.
 */
const utilization = 0.985;
const catchUpUtilization = 0.99;

/** The wait after the n-th failed try: 1 s, 2 s, plus up to a fifth. */
const retryWaitMs = (attempt: number, random: Random): number => 1_000 * 2 ** (attempt - 1) * (1 + random() / 5);

/** Whether only the call about these users failed, not the run. */
const isCallFailure = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && error.api === 'iterable' && !(error instanceof KeyRefusedError);

const failure = (error: PipelineError): CallResult => {
  const outOfTime = error instanceof OutOfTimeError ? error : undefined;
  const last = outOfTime?.lastAttempt ?? error;
  return {
    success: false,
    response: last instanceof RefusedError ? last.response : { code: last.code, msg: last.message },
    failure: { errorCode: last.code, statusCode: last.statusCode },
    ...(outOfTime && { openForMs: outOfTime.waitMs }),
  };
};

/**
 * Iterable's API: paced per call, 3 tries of 10 s each, connections kept alive. A call that failed for its users is a
 * result, not an error, and so is a call that the deadline ended (`openForMs`). Errors end the run:
 *
 * - {@link KeyRefusedError}: from then on the client makes no call.
 * - `SECRET_UNREADABLE`, `CONFIG_INVALID`: no call can be made.
 */
export const createIterableClient = (options: IterableClientOptions) => {
  const { baseUrl, credential, useJwt, now, random = Math.random, sleep } = options;
  const authenticate: Authenticate = useJwt ? createJwtAuthentication(now) : authenticateByKey;
  const ended = new AbortController();

  const api = createApiClient({
    api: 'iterable',
    origin: new URL(baseUrl).origin,
    connections: iterableConnections,
    maxResponseBytes,
    timeoutMs: () => timeoutMs,
    maxAttempts,
    waitMs: (attempt) => retryWaitMs(attempt, random),
    // Only the deadline limits `Retry-After`.
    maxWaitMs: Number.POSITIVE_INFINITY,
    now,
    ...(sleep && { sleep }),
    ...(options.onCall && { onCall: options.onCall }),
    ...(options.connection && { connection: options.connection }),
  });

  const paceOf = (call: IterableCall): Pace =>
    createPace({
      callsPerSecond: options.callsPerSecond?.[call] ?? iterableCalls[call].callsPerSecond,
      utilization,
      catchUpUtilization,
      signal: ended.signal,
      ...(sleep && { now, sleep }),
    });

  const paces: Readonly<Record<IterableCall, Pace>> = {
    updateUser: paceOf('updateUser'),
    updateUsers: paceOf('updateUsers'),
    trackEvent: paceOf('trackEvent'),
    trackEvents: paceOf('trackEvents'),
    readProfile: paceOf('readProfile'),
  };

  /** Batches are halved one after the other: several at once would share the pace, and none would end within a turn. */
  const oneAtATime = bulkhead(1, Number.POSITIVE_INFINITY);

  const send = async <T>(
    call: IterableCall,
    request: Pick<ApiRequest, 'method' | 'body'> & { readonly query?: string },
    read: (response: ApiResponse, redact: Redact, nowMs: number) => T,
    context: CallContext,
    email?: string,
  ): Promise<T> => {
    const { method, body, query = '' } = request;
    ended.signal.throwIfAborted();
    try {
      return await withCredential(credential, (keys) => {
        const identity = authenticate(keys, email);
        const secrets = [keys.api_key, keys.jwt_secret, identity.authorization?.replace('Bearer ', '')];
        const redact: Redact = (text) =>
          secrets.reduce<string>((safe, secret) => (secret ? safe.replaceAll(secret, '[secret]') : safe), text);
        const headers = { 'content-type': 'application/json', ...identity };
        return api.call({
          request: { method, path: iterableCalls[call].path + query, headers, ...(body !== undefined && { body }) },
          read: (response) => read(response, redact, now()),
          context,
          pace: paces[call],
        });
      });
    } catch (error) {
      if (error instanceof KeyRefusedError) ended.abort(error);
      throw error;
    }
  };

  const single = async (
    call: 'updateUser' | 'trackEvent',
    body: { readonly email: string },
    context: CallContext,
  ): Promise<CallResult> => {
    try {
      const response: CallResponse = await send(
        call,
        { method: 'POST', body: JSON.stringify(body) },
        readSingle,
        context,
        body.email,
      );
      return { success: true, response };
    } catch (error) {
      if (isCallFailure(error)) return failure(error);
      throw error;
    }
  };

  /**
   * Halves a batch, down to one user, if it is too large for Iterable or the response does not name who failed. The
   * calls are idempotent, so users that succeeded can be sent again.
   */
  const bulk = async <User extends IterableUser>(
    call: BulkCall,
    batch: readonly User[],
    toBody: (batch: readonly User[]) => string,
    context: CallContext,
    halving?: Halving,
  ): Promise<readonly CallResult[]> => {
    try {
      const response = await send(call, { method: 'POST', body: toBody(batch) }, readBulk, context);
      const emails = batch.map(({ email }) => email);
      const { results, isComplete } = shareOut(response, emails);
      if (halving && !isComplete && batch.length === 1) halving.givesNoNames = true;
      if (isComplete || batch.length <= 1) return results;
      if (halving?.givesNoNames && allFailed(response, emails)) return results;
    } catch (error) {
      if (!isCallFailure(error)) throw error;
      const halves = batch.length > 1 && error instanceof RefusedError && error.tooMuch;
      if (!halves) return batch.map(() => failure(error));
    }
    const middle = Math.ceil(batch.length / 2);
    const sendHalves = async (shared: Halving): Promise<readonly CallResult[]> => {
      const first = await bulk(call, batch.slice(0, middle), toBody, context, shared);
      return [...first, ...(await bulk(call, batch.slice(middle), toBody, context, shared))];
    };
    // The halves of a half already hold the slot.
    return halving ? sendHalves(halving) : oneAtATime.execute(() => sendHalves({ givesNoNames: false }));
  };

  return {
    /** `users/update`: creates or updates one profile. */
    updateUser: (user: IterableUser, context: CallContext): Promise<CallResult> =>
      single('updateUser', toProfile(user), context),

    /** `events/track`: sends one page view of an existing user. */
    trackEvent: (user: Viewer, context: CallContext): Promise<CallResult> =>
      single('trackEvent', toEvent(user), context),

    /** `users/bulkUpdate`: one result per user of a batch, in order. */
    updateUsers: (batch: readonly IterableUser[], context: CallContext): Promise<readonly CallResult[]> =>
      bulk('updateUsers', batch, bulkBody.updateUsers, context),

    /** `events/trackBulk`: the same for their page views. */
    trackEvents: (batch: readonly Viewer[], context: CallContext): Promise<readonly CallResult[]> =>
      bulk('trackEvents', batch, bulkBody.trackEvents, context),

    /**
     * `users/getByEmail`: the fields of a profile; undefined if there is no such user.
     *
     * @throws {PipelineError} if it cannot be read
     */
    readProfile: (email: string, context: CallContext): Promise<StoredFields | undefined> => {
      const query = `?email=${encodeURIComponent(email)}`;
      return send('readProfile', { method: 'GET', query }, readStored, context, email);
    },

    /**
     * Checks, without a user, whether Iterable accepts the key for the calls of a run: both bulk calls with an empty list,
     * or, with tokens, a read of a user who does not exist.
     *
     * @throws {KeyRefusedError} if it does not
     * @throws {PipelineError} if this is not known: no response, or a retryable one
     */
    checkKey: async (context: CallContext): Promise<void> => {
      if (useJwt) {
        const query = `?email=${encodeURIComponent(checkedEmail)}`;
        return send('readProfile', { method: 'GET', query }, readTokenCheck, context, checkedEmail);
      }
      for (const call of ['updateUsers', 'trackEvents'] as const) {
        await send(call, { method: 'POST', body: bulkBody[call]([]) }, readKeyCheck, context);
      }
    },

    close: (): Promise<void> => api.close(),
  };
};

export type IterableClient = ReturnType<typeof createIterableClient>;

import { mapInOrderFailFast } from '../concurrency/fail-fast';
import type { ErrorCode } from '../errors';
import type { CallContext } from '../http/api-client';
import { cutBatches } from './batches';
import { type IterableClient, iterableConnections } from './client';
import { reasonOf } from './reasons';
import type { CallResult } from './responses';
import type { IterableUser, SourceRow } from './rows';
import { isViewer, toEvent, toProfile } from './rows';

/** The results of the calls for one user. */
export interface PushRecord {
  readonly email: string;
  /** End of its calls, ISO 8601. */
  readonly timestamp: string;
  readonly users_update: CallResult;
  readonly events_track: CallResult;
  readonly overall_success: boolean;
}

/** Why a user failed, in values of closed lists: safe to log. */
export interface PushFailure {
  readonly call: 'users_update' | 'events_track';
  readonly error_code: ErrorCode;
  /** Absent if there was no response. */
  readonly status_code?: number | undefined;
  /** A code or a list of `failedUpdates` that Iterable documents, or `other`. */
  readonly reason: string;
}

/** A user's record, and its row if it failed, so that it can be fixed and sent again. */
export interface PushResult {
  readonly record: PushRecord;
  readonly failedRow?: SourceRow | undefined;
  readonly failure?: PushFailure | undefined;
  /**
   * The time was up before its calls ended, so the record is not final: a later turn must send it, after this many ms.
   */
  readonly openForMs?: number | undefined;
}

export type PushMode = 'single' | 'bulk';

export interface PushOptions {
  readonly mode: PushMode;
  /** Absent in a dry run: every payload is built and returned as the response, and nothing is sent. */
  readonly client?: IterableClient | undefined;
  readonly context: CallContext;
  /** Epoch ms. */
  readonly now: () => number;
}

/**
 * In flight = rate × latency. 900 users, with one connection each, reach 500 per second if the two calls about a user
 * take up to 1.8 s together; 50 batches reach 5 per second if the calls about a batch take up to 10 s. The results of
 * ten seconds may wait for an earlier one that is tried again.
 */
const bounds = {
  single: { inFlight: iterableConnections, window: 5_000 },
  bulk: { inFlight: 50, window: 50 },
} as const;

const notSent: CallResult = {
  success: false,
  response: { code: 'NotSent', msg: 'The profile was not updated, and an event does not create a user' },
};

const noEvent: CallResult = {
  success: true,
  response: { code: 'NoEvent', msg: 'The user has left the query: only the profile is updated' },
};

/** The fields of a call that the report contains. */
const kept = ({ success, response }: CallResult): CallResult => ({ success, response });

const failureOf = (call: PushFailure['call'], { response, failure }: CallResult): PushFailure => ({
  call,
  error_code: failure?.errorCode ?? 'INTERNAL_FAULT',
  ...(failure?.statusCode !== undefined && { status_code: failure.statusCode }),
  reason: reasonOf(response.code),
});

const dryRun = (payload: object): CallResult => ({
  success: true,
  response: { code: 'DryRun', msg: 'Built, not sent', payload },
});

/**
 * Sends users to Iterable at the pace of its limits, each user's profile before its event, and yields one result per
 * user in order. An event is sent only if the profile was updated: `events/track` does not create users.
 *
 * Users are read as they are sent, and a bounded number is held. To stop early, end `users` and take the results of
 * those that were read.
 *
 * @throws {KeyRefusedError} at once, without waiting for calls in flight: no later call would succeed
 * @throws {PipelineError} `CONFIG_INVALID` for bulk calls with a JWT key, `SECRET_UNREADABLE`; and what `users` throws
 *
 * @example
 * for await (const { record } of pushUsers(users, { mode: 'bulk', client, context, now: Date.now })) …
 */
export async function* pushUsers(users: AsyncIterable<IterableUser>, options: PushOptions): AsyncGenerator<PushResult> {
  const { mode, client, context, now } = options;

  const timestamp = (): string => new Date(now()).toISOString();

  const resultOf = (
    user: IterableUser,
    users_update: CallResult,
    events_track: CallResult,
    endedAt = timestamp(),
  ): PushResult => {
    const overall_success = users_update.success && events_track.success;
    const openForMs = users_update.openForMs ?? events_track.openForMs;
    return {
      record: {
        email: user.email,
        timestamp: endedAt,
        users_update: kept(users_update),
        events_track: kept(events_track),
        overall_success,
      },
      ...(!overall_success && {
        failedRow: user.row,
        failure: users_update.success
          ? failureOf('events_track', events_track)
          : failureOf('users_update', users_update),
      }),
      ...(openForMs !== undefined && { openForMs }),
    };
  };

  if (client === undefined) {
    for await (const user of users) {
      yield resultOf(user, dryRun(toProfile(user)), isViewer(user) ? dryRun(toEvent(user)) : noEvent);
    }
    return;
  }

  const pushOne = async (user: IterableUser): Promise<PushResult> => {
    const update = await client.updateUser(user, context);
    if (!update.success) return resultOf(user, update, notSent);
    return resultOf(user, update, isViewer(user) ? await client.trackEvent(user, context) : noEvent);
  };

  const pushBatch = async (batch: readonly IterableUser[]): Promise<PushResult[]> => {
    const updates = await client.updateUsers(batch, context);
    const updated = batch.filter((_, index) => updates[index]?.success).filter(isViewer);
    const tracked = updated.length > 0 ? await client.trackEvents(updated, context) : [];
    const tracks = tracked[Symbol.iterator]();
    const endedAt = timestamp();
    return batch.map((user, index) => {
      const update = updates[index] ?? notSent;
      const track = isViewer(user) ? () => tracks.next().value ?? notSent : () => noEvent;
      return resultOf(user, update, update.success ? track() : notSent, endedAt);
    });
  };

  if (mode === 'single') yield* mapInOrderFailFast(users, bounds.single, pushOne);
  else for await (const results of mapInOrderFailFast(cutBatches(users), bounds.bulk, pushBatch)) yield* results;
}

import { setImmediate as nextTick } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { pushParts } from '../../../../lambdas/iterable-push/push-parts';
import type { CallContext } from '../../../../shared/http/api-client';
import type { IterableClient } from '../../../../shared/iterable/client';
import type { CallResult } from '../../../../shared/iterable/responses';
import type { IterableUser } from '../../../../shared/iterable/rows';
import { createUserParts } from '../../../../shared/iterable/user-parts';
import { createProgress } from '../../../../shared/runs/progress';
import { memoryFolder } from '../../../support/memory-folder';
import { recordMetrics } from '../../../support/metrics';
import { unconfigured } from '../../../support/unconfigured';
import { row } from '../../shared/iterable/sample';

/** A client with single calls only; `resultFor` returns the result for a user. */
const clientOf = (
  resultFor: (user: IterableUser, context: CallContext) => CallResult | Promise<CallResult>,
): IterableClient => {
  const call = async (user: IterableUser, context: CallContext) => resultFor(user, context);
  return {
    updateUser: call,
    trackEvent: call,
    updateUsers: unconfigured('updateUsers'),
    trackEvents: unconfigured('trackEvents'),
    readProfile: unconfigured('readProfile'),
    checkKey: unconfigured('checkKey'),
    close: unconfigured('close'),
  };
};
const success: CallResult = { success: true, response: { code: 'Success', msg: '' } };

const start = async (client?: IterableClient, users = 1_002, afterSending = async () => true) => {
  const { folder, objects } = memoryFolder();
  const parts = createUserParts(folder);
  const rows = Array.from({ length: users }, (_, index) => row(index + 1, index < 10 ? { email: 'none' } : {}));
  for (let first = 0; first === 0 || first < users; first += 1_000) {
    const path = parts.rowsPath(first / 1_000, first + 1_000 >= users);
    await parts.writeRows(path, rows.slice(first, first + 1_000));
  }
  await parts.writeExtracted({ rows: users, rejected: Math.min(10, users) });
  const metrics = recordMetrics();
  const warned: unknown[] = [];
  let isRunning = true;
  const recorded: { readonly done: number; readonly total?: number | undefined }[] = [];
  let hasEnded = false;
  let nowMs = 0;
  const now = () => (nowMs += 2_000);
  const push = (isSpent: () => boolean, idleTurns = 0) =>
    pushParts({
      parts,
      beforeSending: async () => undefined,
      afterSending,
      mode: 'single',
      client,
      context: { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined },
      idleTurns,
      progress: createProgress({
        runs: {
          recordProgress: async (_run, _part, { counter, endsTurn }) => {
            recorded.push(counter);
            hasEnded ||= endsTurn === true;
            return isRunning ? Number.POSITIVE_INFINITY : undefined;
          },
        },
        run: { run_id: 'run-1', execution_arn: 'arn:execution' },
        counterName: 'iterable/push',
        budget: { isSpent },
        logger: new Logger({ logLevel: 'SILENT' }),
        now,
      }),
      metrics: metrics.recorder,
      logger: { warn: (message, ...fields) => void warned.push({ message, ...Object(fields[0]) }) },
      now,
    });
  const written = () => [...objects.keys()].filter((path) => path.includes('/results/'));
  const stopRun = () => {
    isRunning = false;
  };
  return { hasEnded: () => hasEnded, push, metrics, recorded, written, parts, stopRun, warned };
};

test('a dry run counts no user as sent', async () => {
  const { push, metrics } = await start();
  await expect(push(() => false)).resolves.toEqual({ done: true, parts_done: 2, parts_total: 2 });
  expect(metrics.added).toEqual([]);
});

test('a resumed turn never reports more users than there are', async () => {
  const { push, recorded } = await start();
  let clockReads = 0;
  await expect(push(() => ++clockReads > 1)).resolves.toEqual({ done: false, parts_done: 1, parts_total: 2 });
  await push(() => false);
  expect(recorded.at(-1)).toMatchObject({ done: 992, total: 992 });
  expect(recorded.every(({ done }) => done <= 992)).toBe(true);
});

test('a part with a user whose calls ran out of time is left to the next turn, after the wait that Iterable requested', async () => {
  const busy: CallResult = { success: false, response: { code: 'RateLimitExceeded', msg: '' }, openForMs: 90_500 };
  const { push, metrics, recorded, written } = await start(
    clientOf(({ row: { id } }) => (id === '1002' ? busy : success)),
  );
  await expect(push(() => false)).resolves.toEqual({ done: false, parts_done: 1, parts_total: 2, wait_seconds: 91 });
  expect(written()).toEqual(['iterable/parts/results/000000.ndjson']);
  expect(metrics.values).toEqual(
    new Map([
      ['SyncUsersSent', 990],
      ['SyncUsersFailed', 0],
    ]),
  );
  expect(recorded.at(-1)).toMatchObject({ done: 991 });
});

test('after Iterable has requested a wait, no further part is started', async () => {
  const busy: CallResult = { success: false, response: { code: 'RateLimitExceeded', msg: '' }, openForMs: 10 ** 9 };
  let calls = 0;
  const client = clientOf(() => {
    calls += 1;
    return busy;
  });
  const { push } = await start(client, 20_000);
  await expect(push(() => false)).resolves.toMatchObject({
    done: false,
    parts_done: 0,
    wait_seconds: 3_600,
    idle_turns: 1,
  });
  expect(calls).toBeLessThan(3_000);
});

test('turns with a wait are not repeated forever: the third turn without a complete part writes its results', async () => {
  const busy: CallResult = { success: false, response: { code: 'RateLimitExceeded', msg: '' }, openForMs: 600_000 };
  const { push, metrics, parts, written } = await start(clientOf(() => busy));
  const wait = { done: false, parts_done: 0, parts_total: 2, wait_seconds: 600 };
  expect(await push(() => false)).toEqual({ ...wait, idle_turns: 1 });
  expect(await push(() => false, 1)).toEqual({ ...wait, idle_turns: 2 });
  expect(written()).toEqual([]);
  expect(await push(() => false, 2)).toEqual({ done: true, parts_done: 2, parts_total: 2 });
  expect(metrics.values.get('SyncUsersFailed')).toBe(992);
  const [first = ''] = (await parts.surveyRows()).paths;
  for (const { record } of await parts.readResults(first)) {
    expect(record).toMatchObject({ overall_success: false, users_update: { response: { code: 'RateLimitExceeded' } } });
  }
});

describe('users that failed', () => {
  const refused: CallResult = {
    success: false,
    response: { code: 'ForgottenUserError', msg: 'user11@example.com' },
    failure: { errorCode: 'API_REFUSED', statusCode: 409 },
  };

  test('are logged as one line each, with customer and code, without e-mail address', async () => {
    const { push, warned } = await start(
      clientOf(({ row: { id } }) => (id === '11' ? refused : success)),
      12,
    );
    await push(() => false);
    expect(warned).toEqual([
      {
        message: 'user failed',
        customer_id: '11',
        error: 'A call about the user failed',
        call: 'users_update',
        error_code: 'API_REFUSED',
        status_code: 409,
        reason: 'ForgottenUserError',
      },
    ]);
  });

  test('are not logged while they are open', async () => {
    const { push, warned } = await start(
      clientOf(() => ({ ...refused, openForMs: 1_000 })),
      12,
    );
    await push(() => false);
    expect(warned).toEqual([]);
  });

  test('are logged up to a hundred lines per run, over all turns', async () => {
    const { push, warned } = await start(
      clientOf(({ row: { id } }) => (Number(id) > 960 ? refused : success)),
      3_000,
    );
    let clockReads = 0;
    await expect(push(() => ++clockReads > 1)).resolves.toMatchObject({ parts_done: 1 });
    expect(warned).toHaveLength(40);
    await expect(push(() => false)).resolves.toMatchObject({ done: true });
    expect(warned).toHaveLength(100);
    expect(new Set(warned.map((line) => JSON.stringify(line))).size).toBe(100);
  });

  test('are not logged if the number of lines cannot be stored', async () => {
    const { push, parts, warned } = await start(
      clientOf(() => refused),
      12,
    );
    jest.spyOn(parts, 'writeLoggedFailures').mockRejectedValue(new Error('no such bucket'));
    await expect(push(() => false)).rejects.toThrow('no such bucket');
    expect(warned).toEqual([]);
  });
});

test('a user without an attempt stays open in every turn', async () => {
  const untried: CallResult = { success: false, response: { code: 'TIMEOUT', msg: '' }, openForMs: 0 };
  const { push, written } = await start(clientOf(() => untried));
  expect(await push(() => false, 2)).toEqual({ done: false, parts_done: 0, parts_total: 2, idle_turns: 3 });
  expect(written()).toEqual([]);
});

/** Waits for a response that never arrives. The signal ends the wait as if an attempt had failed at that time. */
const untilAborted = ({ signal }: CallContext) =>
  new Promise<CallResult>((resolve) => {
    const open: CallResult = { success: false, response: { code: 'TIMEOUT', msg: '' }, openForMs: 1_000 };
    signal?.addEventListener('abort', () => resolve(open));
  });

test('a stop is noticed while all users wait, and ends the wait', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });
  try {
    const waiting = Promise.withResolvers<void>();
    const { push, written, stopRun } = await start(
      clientOf(({ row: { id } }, context) => {
        if (id !== '1001') return success;
        waiting.resolve();
        return untilAborted(context);
      }),
    );
    // In the third turn without a complete part, a rate-limited user fails, but not a user whose run is stopped.
    const pushing = push(() => false, 2).catch((error: unknown) => error);
    await waiting.promise;
    while (written().length === 0) await nextTick();
    stopRun();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await pushing).toMatchObject({ code: 'RUN_TAKEN_OVER' });
    expect(written()).toEqual(['iterable/parts/results/000000.ndjson']);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('if a part cannot be written, waiting users are not sent', async () => {
  let aborted = false;
  const secondPart = Promise.withResolvers<void>();
  const { push, parts } = await start(
    clientOf(async ({ row: { id } }, context) => {
      if (id === '1000') await secondPart.promise;
      if (id !== '1001') return success;
      secondPart.resolve();
      const result = await untilAborted(context);
      aborted = true;
      return result;
    }),
  );
  jest.spyOn(parts, 'writeResults').mockRejectedValue(new Error('no such bucket'));
  await expect(push(() => false)).rejects.toThrow('no such bucket');
  await nextTick();
  expect(aborted).toBe(true);
});

test('a run without users reports zero sent and zero failed', async () => {
  const { push, metrics } = await start(clientOf(unconfigured('resultFor')), 0);
  await expect(push(() => false)).resolves.toMatchObject({ done: true });
  expect(metrics.values).toEqual(
    new Map([
      ['SyncUsersSent', 0],
      ['SyncUsersFailed', 0],
    ]),
  );
});

test.each([true, false])(
  'the end of the turn is recorded after the last calls; it is done if they are: %s',
  async (done) => {
    const endedBefore: boolean[] = [];
    const { push, hasEnded } = await start(undefined, 3, async () => {
      endedBefore.push(hasEnded());
      return done;
    });
    await expect(push(() => false)).resolves.toMatchObject({ done });
    expect(endedBefore).toEqual([false]);
    expect(hasEnded()).toBe(true);
  },
);

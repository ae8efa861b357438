import { Logger } from '@aws-lambda-powertools/logger';
import { createProgress } from '../../../../shared/runs/progress';
import { type CapturedLogs, captureLogs } from '../../../support/logs';

const run = { run_id: 'run-1', execution_arn: 'arn:execution' };
let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const held = Number.POSITIVE_INFINITY;
const settle = () => new Promise((resolve) => setImmediate(resolve));

const start = (record: (message: string) => Promise<number | undefined> = async () => held) => {
  let nowMs = 0;
  let isSpent = false;
  const written: unknown[] = [];
  const progress = createProgress({
    run,
    counterName: 'netlife/portal',
    budget: { isSpent: () => isSpent },
    logger: new Logger(),
    now: () => nowMs,
    runs: {
      recordProgress: (owner, part, { counter, message }) => {
        written.push({ run_id: owner.run_id, part, ...counter, message });
        return record(message);
      },
    },
  });
  return {
    progress,
    written,
    spend: () => {
      isSpent = true;
    },
    update: async (atMs: number, done: number) => {
      nowMs = atMs;
      progress.update({ done, total: 10, message: `${done} of 10` });
      await settle();
    },
    at: (ms: number) => {
      nowMs = ms;
    },
  };
};

test('the item is written at most every 2 s, with the newest snapshot', async () => {
  const { written, update } = start();
  for (const [atMs, done] of [
    [0, 0],
    [100, 1],
    [1_999, 2],
    [2_000, 3],
    [2_500, 4],
    [4_100, 5],
  ] as const)
    await update(atMs, done);
  expect(written).toEqual([
    { run_id: 'run-1', part: 'netlife/portal', done: 0, total: 10, message: '0 of 10' },
    { run_id: 'run-1', part: 'netlife/portal', done: 3, total: 10, rate_per_second: 1.5, message: '3 of 10' },
    { run_id: 'run-1', part: 'netlife/portal', done: 5, total: 10, rate_per_second: 1.22, message: '5 of 10' },
  ]);
});

test('the rate counts only this turn', async () => {
  const { written, update } = start();
  await update(0, 5);
  await update(2_000, 9);
  expect(written.at(-1)).toMatchObject({ done: 9, rate_per_second: 2 });
});

test('the end is always written, and logged as one line', async () => {
  const { progress, written, update, at } = start();
  await update(0, 0);
  at(500);
  await progress.close('netlife_collect', { done: 10, total: 10, message: 'done' });
  expect(written.at(-1)).toMatchObject({ done: 10, message: 'done' });
  expect(logs.lines()).toMatchObject([
    {
      level: 'INFO',
      message: 'sync step',
      step: 'netlife_collect',
      phase: 'ended',
      done: 10,
      total: 10,
      rate_per_second: 20,
    },
  ]);
});

test('a slow write is followed by one write of the newest snapshot, and the end waits for it', async () => {
  const pendingWrites: ((value: number) => void)[] = [];
  const { progress, written, update } = start(() => new Promise((resolve) => pendingWrites.push(resolve)));
  await update(0, 0);
  await update(2_000, 1);
  await update(4_000, 2);
  expect(written).toMatchObject([{ done: 0 }]);
  pendingWrites[0]?.(held);
  await settle();
  await update(6_000, 3);
  await update(6_100, 4);
  expect(written).toMatchObject([{ done: 0 }, { done: 3 }]);
  const closed = progress.close('step', { done: 10, message: 'done' });
  await settle();
  expect(written).toHaveLength(2);
  pendingWrites[1]?.(held);
  await settle();
  pendingWrites[2]?.(held);
  await closed;
  expect(written).toMatchObject([{ done: 0 }, { done: 3 }, { done: 10 }]);
});

test('a failed write is logged and does not end the turn', async () => {
  const { progress, update } = start(() => Promise.reject(new Error('throttled')));
  await update(0, 0);
  await progress.close('step', { done: 1, message: 'm' });
  expect(logs.lines().filter(({ message }) => message === 'progress not recorded')).toHaveLength(2);
  expect(progress.stopped.aborted).toBe(false);
  expect(progress.assertNotStopped).not.toThrow();
});

test('a turn is over when its time is up', async () => {
  const { progress, written, spend } = start();
  expect(progress.isTurnOver({ done: 1, message: 'm' })).toBe(false);
  spend();
  expect(progress.isTurnOver({ done: 2, message: 'm' })).toBe(true);
  expect(written).toHaveLength(1);
});

test('a rejected write ends the turn', async () => {
  const { progress, update } = start(async (message) => (message === '0 of 10' ? held : undefined));
  await update(0, 0);
  expect(progress.stopped.aborted).toBe(false);
  await update(2_000, 1);
  expect(progress.stopped.aborted).toBe(true);
  expect(progress.isTurnOver({ done: 1, message: 'm' })).toBe(true);
  expect(progress.assertNotStopped).toThrow(expect.objectContaining({ code: 'RUN_TAKEN_OVER', retryable: false }));
});

describe('keepLeases', () => {
  test('makes no write while the leases hold', async () => {
    const { progress, written, update, at } = start(async () => 300_000);
    await update(0, 0);
    at(269_999);
    expect(progress.keepLeases()).toBeUndefined();
    expect(written).toHaveLength(1);
  });

  test('renews them once for all waiting calls before they end', async () => {
    let untilMs = 300_000;
    const { progress, written, update, at } = start(async () => untilMs);
    await update(0, 4);
    at(270_000);
    untilMs = 570_000;
    await Promise.all([progress.keepLeases(), progress.keepLeases()]);
    expect(written).toMatchObject([{ done: 4 }, { done: 4 }]);
    expect(progress.keepLeases()).toBeUndefined();
  });

  test('a worker whose leases another run has taken makes no call', async () => {
    const { progress, update, at } = start(async (message) => (message === '0 of 10' ? 300_000 : undefined));
    await update(0, 0);
    at(301_000);
    progress.update({ done: 1, message: '1 of 10' });
    await expect(progress.keepLeases()).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
    expect(progress.stopped.aborted).toBe(true);
  });

  test('without a successful write, no call is made', async () => {
    const { progress, at } = start(() => Promise.reject(new Error('throttled')));
    at(31_000);
    await expect(progress.keepLeases()).rejects.toThrow('throttled');
  });
});

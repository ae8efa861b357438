import { createBacklogWait } from '../../../../lambdas/reconciler/wait-for-backlog';
import { createLogger } from '../../../../shared/observability/logger';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

/** A wait for a queue with these depths, one per check; the clock advances by the waits. */
const create = (...depths: readonly number[]) => {
  const remaining = [...depths];
  let nowMs = 0;
  const wait = createBacklogWait({
    backlog: async () => remaining.shift() ?? 0,
    backlogLimit: 100,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.0.0' }),
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  });
  return { wait, now: () => nowMs };
};

test('a queue at the limit is short: there is no wait', async () => {
  const { wait, now } = create(100);
  expect(await wait(5_000)).toBe(true);
  expect({ nowMs: now(), lines: logs.lines() }).toEqual({ nowMs: 0, lines: [] });
});

test('a long queue is checked every second, and logged once in a turn', async () => {
  const { wait, now } = create(101, 101, 100, 102, 0);
  expect([await wait(60_000), await wait(60_000)]).toEqual([true, true]);
  expect(now()).toBe(3_000);
  expect(logs.lines().map(ownFields)).toEqual([
    { level: 'INFO', message: 'reconciliation waits for the download queue', backlog: 101 },
  ]);
});

test('the wait ends with the turn', async () => {
  expect(await create(101, 101, 101).wait(1_000)).toBe(false);
});

import { createRefusedKeeper, maxKeptPerMinute } from '../../../../lambdas/webhook/keep-refused';
import { createLogger } from '../../../../shared/observability/logger';
import type { RefusedBody } from '../../../../shared/refused-bodies';
import { type CapturedLogs, captureLogs } from '../../../support/logs';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const refused = { request_id: 'request-1', details: [{ path: 'order_id', message: 'must be a string' }], body: '{}' };

const openKeeper = (store: (body: RefusedBody) => Promise<string>) => {
  const clock = { nowMs: Date.parse('2026-01-31T12:00:00Z') };
  let stores = 0;
  const keep = createRefusedKeeper({
    createStore: () => {
      stores++;
      return store;
    },
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    now: () => clock.nowMs,
  });
  return { keep, clock, stores: () => stores };
};

test('keeps a body with its faults and the time; a process has one store', async () => {
  const bodies: RefusedBody[] = [];
  const { keep, stores } = openKeeper(async (body) => `refused-${bodies.push(body)}`);
  expect(stores()).toBe(0);
  expect([await keep(refused), await keep(refused)]).toEqual(['refused-1', 'refused-2']);
  expect(bodies[0]).toEqual({ received_at: '2026-01-31T12:00:00.000Z', ...refused });
  expect(stores()).toBe(1);
});

test('keeps a limited number of bodies per minute', async () => {
  let stored = 0;
  const { keep, clock } = openKeeper(async () => `refused-${++stored}`);
  for (let call = 0; call < maxKeptPerMinute; call++) expect(await keep(refused)).toBeDefined();
  expect(await keep(refused)).toBeUndefined();
  clock.nowMs += 59_999;
  expect(await keep(refused)).toBeUndefined();
  clock.nowMs += 1;
  expect(await keep(refused)).toBeDefined();
  expect(stored).toBe(maxKeptPerMinute + 1);
  expect(logs.lines()).toEqual([]);
});

test('logs a failure, and tries again with the next body', async () => {
  let calls = 0;
  const { keep } = openKeeper(async () => {
    if (++calls === 1) throw new Error('AWS is down');
    return 'refused-2';
  });
  expect(await keep(refused)).toBeUndefined();
  expect(logs.lines()).toMatchObject([
    { level: 'ERROR', message: 'refused body was not kept', error_code: 'INTERNAL_FAULT' },
  ]);
  expect(await keep(refused)).toBe('refused-2');
});

import { createRoundsOfTurn, type Finding } from '../../../../lambdas/reconciler/start-rounds';
import type { Reason } from '../../../../shared/completeness/judge';
import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { type OrderOrUnreadable, unreadable } from '../../../../shared/orders/queries';
import type { RoundRequest, StartedRound } from '../../../../shared/orders/start-round';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { orderId, orders } from '../../../support/orders';
import { queued } from '../../../support/reconciler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const finding = (order: OrderOrUnreadable | undefined, reason: Reason = 'drifted'): Finding => ({
  entry: { orderId: orderId(), fingerprint: 'status-2' },
  order,
  verdict: { reason, isLost: true, isSettled: false },
});

const create = (startRound: (request: RoundRequest) => StartedRound) => {
  const requests: RoundRequest[] = [];
  const rounds = createRoundsOfTurn({
    startRound: async (request) => {
      requests.push(request);
      return startRound(request);
    },
    pace: async () => undefined,
    newRequestId: () => 'request-1',
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.0.0' }),
    metrics: recordMetrics().recorder,
    now: () => Date.parse('2026-01-01T01:00:00Z'),
  });
  return { rounds, requests };
};

test.each([
  ['in flight, with the time of its first notification', orders.notified(), Date.parse('2026-01-01T00:00:00Z')],
  ['closed', orders.processed(), undefined],
])('a round starts only after the one that was read: %s', async (_, order, notifiedAtMs) => {
  const { rounds, requests } = create(() => queued);
  await rounds.startAll([finding(order)]);
  expect(requests).toEqual([
    {
      orderId: 'QO-123456',
      requestId: 'request-1',
      notificationType: 'reconciliation',
      after: order.round,
      notifiedAtMs,
    },
  ]);
  expect(rounds.count()).toBe(1);
});

test.each([
  ['has no item', undefined],
  ['has an item that cannot be read', unreadable],
] as const)('a round of an order that %s starts unconditionally', async (_, order) => {
  const { rounds, requests } = create(() => queued);
  const results = await rounds.startAll([finding(order, order === undefined ? 'missing' : 'unreadable')]);
  expect(requests).toEqual([expect.objectContaining({ after: undefined, notifiedAtMs: undefined })]);
  expect(results).toEqual([expect.objectContaining({ outcome: 'started' })]);
});

test('a round is superseded if a webhook has started another one since: no line, and no round', async () => {
  const { rounds } = create(() => ({ ...queued, outcome: 'stale' }));
  expect(await rounds.startAll([finding(orders.processed())])).toEqual([
    { finding: finding(orders.processed()), outcome: 'superseded' },
  ]);
  expect({ count: rounds.count(), lines: logs.lines() }).toEqual({ count: 0, lines: [] });
});

test('ten consecutive failures end the turn, fewer do not', async () => {
  const fault = new PipelineError('AWS_FAULT', 'AWS answered X', { retryable: true });
  const { rounds } = create(() => {
    throw fault;
  });
  const nine = await rounds.startAll(Array.from({ length: 9 }, () => finding(orders.processed())));
  expect(nine.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 9 }, () => 'failed'));
  await expect(rounds.startAll([finding(orders.processed())])).rejects.toBe(fault);
});

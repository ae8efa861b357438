import { createHandler } from '../../../../lambdas/reconciler/handler';
import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import type { Order, OrderId } from '../../../../shared/orders/order';
import type { RoundRequest } from '../../../../shared/orders/start-round';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { orderId, requestId, round } from '../../../support/orders';
import { queued } from '../../../support/webhook-handler';

const nowMs = Date.parse('2026-01-01T12:00:00Z');

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const known = (id: OrderId, status: 'NOTIFIED' | 'DOWNLOADED', ageMs: number): Order => {
  const notified = {
    order_id: id,
    round: round(),
    request_id: requestId(),
    notification_type: 'order.created',
    notified_at: new Date(nowMs - ageMs).toISOString(),
  };
  const downloaded = { downloaded_at: notified.notified_at, s3_key: 'raw/a/b.json', payload_size: 1 };
  return status === 'NOTIFIED'
    ? { ...notified, status }
    : { ...notified, ...downloaded, status, checksum: 'c'.repeat(64) as never };
};

interface World {
  /** Ids of the open orders, in Qualia's order. */
  readonly open: readonly OrderId[];
  readonly table?: readonly Order[];
  readonly position?: number;
  readonly listPage?: (limit: number, offset: number) => readonly OrderId[];
  readonly failOn?: OrderId;
}

const reconcile = async ({ open, table = [], position = 0, listPage, failOn }: World) => {
  const started: RoundRequest[] = [];
  const saved: number[] = [];
  const metrics = recordMetrics();
  const handler = createHandler({
    qualia: {
      listOpenOrders: async ({ limit, offset }) => {
        const orderIds = listPage?.(limit, offset) ?? open.slice(offset, offset + limit);
        return { orderIds, listed: orderIds.length };
      },
    },
    orders: {
      readMany: async (ids) => new Map(table.filter((o) => ids.includes(o.order_id)).map((o) => [o.order_id, o])),
    },
    startRound: async (request) => {
      if (request.orderId === failOn) throw new PipelineError('AWS_FAULT', 'AWS answered X', { retryable: true });
      started.push(request);
      return queued(request);
    },
    position: {
      load: async () => position,
      save: async (offset) => {
        saved.push(offset);
      },
    },
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.0.0' }),
    metrics: metrics.recorder,
    newRequestId: () => 'request-new',
    now: () => nowMs,
  });
  const report = await handler({}, lambdaContext({ remainingMs: 900_000 })).catch((error: unknown) => error);
  return { report, started: started.map((request) => request.orderId), saved, metrics };
};

const ids = (count: number) => Array.from({ length: count }, (_, index) => orderId(`order-${index}`));

test('starts a round for the missing and the stuck, and for nobody else', async () => {
  const [missing, stuck, waiting, downloaded] = ids(4) as [OrderId, OrderId, OrderId, OrderId];
  const result = await reconcile({
    open: [missing, stuck, waiting, downloaded],
    table: [
      known(stuck, 'NOTIFIED', 15 * 60_000 + 1),
      known(waiting, 'NOTIFIED', 15 * 60_000),
      known(downloaded, 'DOWNLOADED', 86_400_000),
    ],
  });
  expect(result.started).toEqual([missing, stuck]);
  expect(result.report).toEqual({ compared: 4, missing: 1, stuck: 1, nextOffset: 0 });
  const lines = logs.lines().filter(({ message }) => message === 'order reconciled');
  const line = { level: 'WARN', message: 'order reconciled', request_id: 'request-new', status: 'NOTIFIED' };
  expect(lines.map(ownFields)).toEqual([
    { ...line, order_id: missing, reason: 'missing' },
    { ...line, order_id: stuck, reason: 'stuck', age_seconds: 900 },
  ]);
});

test('says zero when there was nothing to do', async () => {
  const { metrics } = await reconcile({ open: [] });
  expect(metrics.values.get('OrderReconciled')).toBe(0);
});

test('stops at 1,000 rounds, and the next run begins where it stopped', async () => {
  const open = ids(1_250);
  const first = await reconcile({ open });
  expect(first.started).toEqual(open.slice(0, 1_000));
  expect(first.saved).toEqual([1_000]);
  const second = await reconcile({ open, position: 1_000 });
  expect(second.started).toEqual(open.slice(1_000));
  expect(second.saved).toEqual([0]);
});

test('a page that the limit cut short is the first of the next run', async () => {
  const open = ids(1_150);
  const table = open.slice(0, 50).map((id) => known(id, 'DOWNLOADED', 0));
  const { started, saved } = await reconcile({ open, table });
  expect(started).toHaveLength(1_000);
  expect(saved).toEqual([1_000]);
});

test('a list that goes round ends', async () => {
  const open = ids(100);
  const { started, report } = await reconcile({ open, listPage: () => open });
  expect(started).toHaveLength(100);
  expect(report).toMatchObject({ nextOffset: 0 });
});

test('a fault ends the run, which keeps its place', async () => {
  const open = ids(150);
  const { report, saved } = await reconcile({ open, failOn: orderId('order-120') });
  expect(report).toMatchObject({ code: 'AWS_FAULT' });
  expect(saved).toEqual([100]);
  expect(logs.lines().at(-1)).toMatchObject({ level: 'ERROR', error_code: 'AWS_FAULT' });
});

import { unreadable } from '../../../../shared/orders/queries';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { orderId } from '../../../support/orders';
import { createReconcilerWorld, hourMs, minuteMs, openOrders, reconciledIn } from '../../../support/reconciler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());
const reconciled = () => reconciledIn(logs);

/** After the order 'closed' was listed and checked, it leaves the list and is downloaded once more. */
const close = async (world: ReturnType<typeof createReconcilerWorld>): Promise<void> => {
  openOrders(world, 'closed');
  world.processed('closed');
  await world.invoke();
  world.advance(hourMs);
  world.open.delete('closed');
  // The download begins after the end of the walk. An earlier one could have missed the change.
  world.processed('closed', -1);
};

describe('starts a round for', () => {
  test('a missing order, and no other', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'missing', 'known');
    world.processed('known');
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', known: 2, missing: 1, stuck: 0, in_flight: 0 });
    expect(world.started).toEqual([
      { orderId: 'missing', requestId: 'request-1', notificationType: 'reconciliation', notifiedAtMs: undefined },
    ]);
    expect(reconciled()).toEqual([
      {
        level: 'WARN',
        message: 'order reconciled',
        order_id: 'missing',
        request_id: 'request-1',
        status: 'NOTIFIED',
        reason: 'missing',
      },
    ]);
    expect(world.metric('OrdersMissing')).toBe(1);
    expect(world.metric('OrderReconciled')).toBe(1);
  });

  test('an order that has been NOTIFIED or DOWNLOADED for over 15 minutes, and keeps its notified_at', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'notified', 'downloaded', 'waiting', 'working');
    world.notified('notified', 15 * minuteMs + 1);
    world.processed('downloaded', 20 * minuteMs, { status: 'DOWNLOADED' });
    world.notified('waiting', 15 * minuteMs);
    world.processed('working', minuteMs, { status: 'DOWNLOADED' });
    const notifiedAtMs = world.now() - 15 * minuteMs - 1;
    expect(await world.invoke()).toMatchObject({ stuck: 2, in_flight: 4, oldest_in_flight_seconds: 1_200 });
    expect(world.startedIds()).toEqual(['notified', 'downloaded']);
    expect(world.started[0]).toMatchObject({ notifiedAtMs });
    expect(reconciled()[0]).toMatchObject({ level: 'WARN', reason: 'stuck', age_seconds: 900 });
    expect(world.metric('OrdersInFlight')).toBe(4);
    expect(world.metric('OldestOrderInFlight')).toBe(1_200);
  });

  test('an order whose status changed since the last pass', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'drifted', 'same');
    world.processed('drifted', minuteMs);
    world.processed('same', minuteMs);
    await world.invoke();
    world.advance(hourMs);
    world.open.set('drifted', 'status-2');
    expect(await world.invoke()).toMatchObject({ drifted: 1, drifted_unnoticed: 1 });
    expect(world.startedIds()).toEqual(['drifted']);
    expect(reconciled()).toEqual([expect.objectContaining({ level: 'WARN', reason: 'drifted' })]);
    expect(world.metric('OrdersDrifted')).toBe(1);
  });

  test('an order whose status changed and that was downloaded in between, which is not counted as drifted', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'changed');
    world.processed('changed');
    await world.invoke();
    world.advance(hourMs);
    world.open.set('changed', 'status-2');
    world.processed('changed', 30 * minuteMs);
    expect(await world.invoke()).toMatchObject({ drifted: 1, drifted_unnoticed: 0 });
    expect(world.startedIds()).toEqual(['changed']);
    expect(reconciled()).toEqual([expect.objectContaining({ level: 'INFO', reason: 'drifted' })]);
    expect(world.metric('OrdersDrifted')).toBe(0);
    expect(world.metric('OrderReconciled')).toBe(0);
  });

  test('an order that left the list, which is tracked until its round has ended', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'closed', 'open');
    world.processed('closed', 1);
    world.processed('open', 1);
    await world.invoke();

    world.advance(hourMs);
    world.open.delete('closed');
    expect(await world.invoke()).toMatchObject({ known: 2, left: 1, drifted_unnoticed: 1 });
    expect(world.startedIds()).toEqual(['closed']);
    expect(world.metric('OrdersDrifted')).toBe(1);

    // Its message is lost.
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ known: 2, left: 0, stuck: 1 });
    expect(world.startedIds()).toEqual(['closed']);

    // Its second message is lost too. The order was in flight for an hour before, so it gets another hour.
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ known: 2, left: 0, stuck: 0 });
    world.advance(1);
    expect(await world.invoke()).toMatchObject({ known: 2, left: 0, stuck: 1 });

    world.advance(hourMs);
    world.processed('closed');
    expect(await world.invoke()).toMatchObject({ known: 1, left: 0, stuck: 0 });
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ known: 1 });
  });

  test('an order that left long ago, for which a late webhook started a round without a message', async () => {
    const world = createReconcilerWorld();
    await close(world);
    await world.invoke();

    world.notified('closed', -1);
    for (let pass = 0; pass < 20 && !world.startedIds().includes('closed'); pass++) {
      world.advance(hourMs);
      await world.invoke();
    }
    expect(world.startedIds()).toEqual(['closed']);
    world.processed('closed', -1);
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ known: 0, stuck: 0 });
  });

  test('an order that left, which is read four times in a day after its end and then forgotten', async () => {
    const reads: number[] = [];
    const world = createReconcilerWorld({
      orders: {
        scanInFlight: async () => ({ orders: new Map(), next: undefined }),
        readMany: async (ids) => {
          if (ids.length > 0) reads.push(world.now());
          return new Map([...world.table].filter(([id]) => ids.includes(id)));
        },
      },
    });
    await close(world);
    await world.invoke();
    reads.length = 0;
    for (let pass = 0; pass < 48; pass++) {
      world.advance(hourMs);
      await world.invoke();
    }
    expect(reads).toHaveLength(4);
  });

  test('no order that left and was downloaded since', async () => {
    const world = createReconcilerWorld();
    await close(world);
    expect(await world.invoke()).toMatchObject({ known: 0, left: 0 });
    expect(world.started).toEqual([]);
  });

  test('an order that was not checked for a day, without a line at level INFO', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'old', 'failed', 'fresh');
    world.processed('old', 23 * hourMs);
    world.processed('failed', 23 * hourMs, {
      status: 'FAILED',
      failed_at: new Date(world.now() - 23 * hourMs).toISOString(),
      error: { code: 'API_REFUSED', message: 'x', stage: 'processing' },
    });
    world.processed('fresh', 2 * hourMs - 1);
    expect(await world.invoke()).toMatchObject({ unchecked: 2, failed: 1 });
    expect(world.startedIds()).toEqual(['old', 'failed']);
    expect(reconciled()).toEqual([]);
    expect(world.metric('OrderReconciled')).toBe(0);
  });

  test('an order whose item cannot be read: one line of level ERROR, and the pass continues', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'unreadable', 'missing');
    world.table.set(orderId('unreadable'), unreadable);
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', unreadable: 1, missing: 1 });
    expect(world.startedIds()).toEqual(['unreadable', 'missing']);
    expect(logs.lines().filter(({ level }) => level === 'ERROR')).toEqual([
      expect.objectContaining({
        message: 'order item cannot be read',
        order_id: 'unreadable',
        request_id: 'request-1',
      }),
    ]);
  });
});

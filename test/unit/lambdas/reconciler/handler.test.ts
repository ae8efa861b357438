import { PipelineError } from '../../../../shared/errors';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import {
  continuation,
  createReconcilerWorld,
  hourMs,
  minuteMs,
  openOrders,
  queued,
  reconciledIn,
} from '../../../support/reconciler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const reconciled = () => reconciledIn(logs);
const orderIds = (count: number) => Array.from({ length: count }, (_, index) => `order-${index}`);

test('publishes zero for each metric without orders', async () => {
  const world = createReconcilerWorld();
  expect(await world.invoke()).toMatchObject({ outcome: 'complete', known: 0 });
  for (const name of ['OrderReconciled', 'OrdersMissing', 'OrdersDrifted', 'OrdersInFlight', 'OldestOrderInFlight'])
    expect([name, world.metric(name)]).toEqual([name, 0]);
  expect(logs.lines().map(({ message }) => message)).toEqual(['orders reconciled']);
});

test('checks the orders after a delay in which webhooks under way arrive', async () => {
  const world = createReconcilerWorld({ settleMs: minuteMs });
  openOrders(world, 'on its way');
  const startedAtMs = world.now();
  await world.invoke();
  expect(world.now() - startedAtMs).toBe(minuteMs);
  expect(logs.lines()).toEqual([expect.objectContaining({ message: 'orders reconciled', turn_ms: minuteMs })]);
});

test('an id that is not valid in a webhook is skipped', async () => {
  const world = createReconcilerWorld();
  openOrders(world, 'a\tb\nc', 'ü', 'good');
  expect(await world.invoke()).toMatchObject({ known: 1, missing: 1 });
  world.open.delete('a\tb\nc');
  world.advance(minuteMs);
  expect(await world.invoke()).toMatchObject({ known: 1, missing: 0, left: 0 });
});

describe('a list without status', () => {
  const refused = new PipelineError('GRAPHQL_ERROR', 'No such field', { api: 'qualia', retryable: false });
  const refusing = { on: false };
  const world = createReconcilerWorld({
    qualia: {
      listOpenOrders: async ({ withStatus, offset }) => {
        if (withStatus && refusing.on) throw refused;
        return offset > 0 ? [] : [{ id: 'one', fingerprint: withStatus ? 'status-1' : undefined }];
      },
    },
  });

  test('is reported once in a pass, and is not taken for a change', async () => {
    world.processed('one', minuteMs);
    await world.invoke();
    refusing.on = true;
    world.advance(hourMs);
    logs.clear();
    expect(await world.invoke()).toMatchObject({ drifted: 0 });
    expect(logs.lines().filter(({ level }) => level === 'WARN')).toEqual([
      expect.objectContaining({
        message: 'Qualia does not show the status of listed orders',
        error_code: 'GRAPHQL_ERROR',
      }),
    ]);
    refusing.on = false;
    world.advance(hourMs);
    expect(await world.invoke()).toMatchObject({ drifted: 0 });
    expect(world.started).toEqual([]);
  });
});

test('a list that repeats itself is not evidence that an order has left', async () => {
  const pages = { all: orderIds(250), repeats: false };
  const world = createReconcilerWorld({
    qualia: {
      listOpenOrders: async ({ limit, offset }) =>
        pages.all
          .slice(pages.repeats ? 0 : offset, (pages.repeats ? 0 : offset) + limit)
          .map((id) => ({ id, fingerprint: 'status-1' })),
    },
  });
  for (const id of pages.all) world.processed(id);
  expect(await world.invoke()).toMatchObject({ known: 250 });
  pages.repeats = true;
  expect(await world.invoke()).toMatchObject({ known: 250, left: 0 });
  expect(logs.lines()).toContainEqual(expect.objectContaining({ message: 'the list of open orders repeats itself' }));
  pages.repeats = false;
  pages.all.pop();
  world.advance(minuteMs);
  expect(await world.invoke()).toMatchObject({ known: 250, left: 1 });
});

describe('pace', () => {
  test('every round waits for the pace', async () => {
    let slots = 0;
    const world = createReconcilerWorld({ pace: async () => void slots++ });
    openOrders(world, ...orderIds(120));
    await world.invoke();
    expect(slots).toBe(120);
  });

  test('after the first rounds, none is started while the download queue is long', async () => {
    const world = createReconcilerWorld();
    openOrders(world, ...orderIds(250));
    world.backlog.push(101, 101, 100);
    const startedAtMs = world.now();
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', missing: 250 });
    expect(world.now() - startedAtMs).toBe(2_000);
    const waits = logs.lines().filter(({ message }) => message === 'reconciliation waits for the download queue');
    expect(waits).toEqual([expect.objectContaining({ level: 'INFO', backlog: 101 })]);
  });

  test('a download queue that stays long makes the pass continue later', async () => {
    const world = createReconcilerWorld({ backlog: async () => 101 });
    openOrders(world, ...orderIds(150));
    expect(await world.invoke()).toMatchObject({ outcome: 'continues', missing: 100 });
    expect(world.started).toHaveLength(100);
  });

  test('a pass with few rounds does not read the length of the download queue', async () => {
    const world = createReconcilerWorld({ backlog: () => Promise.reject(new Error('the length was read')) });
    openOrders(world, 'known', 'missing');
    world.processed('known');
    expect(await world.invoke()).toMatchObject({ outcome: 'complete' });
  });
});

describe('a pass that exceeds an invocation', () => {
  /** Each call of the list takes a minute, and each round six seconds. */
  const slow = () => {
    const world = createReconcilerWorld({
      roundsPerSecond: 1,
      pace: async () => world.advance(6_000),
      qualia: {
        listOpenOrders: async ({ limit, offset }) => {
          world.advance(minuteMs);
          return [...world.open].slice(offset, offset + limit).map(([id, fingerprint]) => ({ id, fingerprint }));
        },
      },
    });
    return world;
  };

  test('continues through messages to its end, and starts each round once', async () => {
    const world = slow();
    openOrders(world, ...orderIds(300));
    const all: string[] = [];
    let report = await world.invoke({}, 240_000);
    let invocations = 1;
    for (; (report as { outcome: string }).outcome === 'continues'; invocations++) {
      expect(world.metric('OrdersMissing')).toBeGreaterThanOrEqual(all.length);
      all.push(...world.startedIds());
      report = await world.deliver(240_000);
    }
    all.push(...world.startedIds());
    expect(report).toMatchObject({ outcome: 'complete', known: 300, missing: 300 });
    expect(all).toEqual(orderIds(300));
    expect(invocations).toBeGreaterThan(5);
    expect(world.sent).toHaveLength(invocations - 1);
  });

  test('is not resumed by the schedule while a message continues it, and is resumed if that message is lost', async () => {
    const world = slow();
    openOrders(world, ...orderIds(300));
    expect(await world.invoke({}, 180_000)).toMatchObject({ outcome: 'continues', pass: 'pass-1' });
    expect(await world.invoke()).toEqual({ outcome: 'under way' });
    world.advance(20 * minuteMs);
    expect(await world.invoke({}, 180_000)).toMatchObject({ outcome: 'continues', pass: 'pass-1' });
  });

  test('is replaced by a new pass after hours without a continuation', async () => {
    const world = slow();
    openOrders(world, ...orderIds(300));
    await world.invoke({}, 180_000);
    world.advance(3 * hourMs);
    expect(await world.invoke({}, 180_000)).toMatchObject({ outcome: 'continues', pass: 'pass-2' });
    // The message of the old pass arrives late.
    expect(await world.invoke(continuation({ pass: 'pass-1' }))).toEqual({ outcome: 'superseded' });
  });

  test('is continued by only one of two concurrent invocations', async () => {
    const world = slow();
    openOrders(world, ...orderIds(600));
    await world.invoke({}, 180_000);
    const reports = await Promise.all([world.deliver(180_000), world.deliver(180_000)]);
    expect(reports.map((report) => (report as { outcome: string }).outcome).sort()).toEqual([
      'continues',
      'superseded',
    ]);
    expect(world.sent).toHaveLength(2);
  });

  test('a message of a pass that has ended is acknowledged', async () => {
    const world = createReconcilerWorld();
    await world.invoke();
    expect(await world.invoke(continuation({ pass: 'pass-1' }))).toEqual({ outcome: 'superseded' });
  });

  test('a message that is not ours fails, and ends in the dead-letter queue', async () => {
    const world = createReconcilerWorld();
    expect(await world.invoke(continuation('not ours'))).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  test('two concurrent passes: the one that ends second changes nothing', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'one');
    const reports = await Promise.all([world.invoke(), world.invoke()]);
    expect(reports.map((report) => (report as { outcome: string }).outcome).sort()).toEqual(['complete', 'superseded']);
  });
});

test('a change that a webhook announces after the item was read is not counted', async () => {
  const world = createReconcilerWorld();
  openOrders(world, 'changed');
  world.processed('changed', minuteMs);
  await world.invoke();
  world.advance(hourMs);
  world.open.set('changed', 'status-2');
  const overtaken = createReconcilerWorld({
    passes: world.passes.store,
    orders: { ...world.queries, readMany: async () => world.table },
    qualia: { listOpenOrders: async ({ offset }) => (offset > 0 ? [] : [{ id: 'changed', fingerprint: 'status-2' }]) },
    startRound: async () => ({ ...queued, outcome: 'stale' }),
    now: world.now,
  });
  expect(await overtaken.invoke()).toMatchObject({ outcome: 'complete', drifted: 0, not_started: 0 });
  expect(overtaken.metric('OrdersDrifted')).toBe(0);
  expect(reconciled()).toEqual([]);
});

describe('a fault', () => {
  const fault = new PipelineError('AWS_FAULT', 'AWS answered X', { retryable: true });

  test('of one order does not stop the pass, and the next pass detects the same change', async () => {
    const failing = { id: '' };
    const world = createReconcilerWorld();
    const broken = createReconcilerWorld({
      passes: world.passes.store,
      orders: world.queries,
      qualia: {
        listOpenOrders: async ({ limit, offset }) =>
          [...world.open].slice(offset, offset + limit).map(([id, fingerprint]) => ({ id, fingerprint })),
      },
      startRound: async ({ orderId: id }) => {
        if (id === failing.id) throw fault;
        return queued;
      },
      now: world.now,
    });
    openOrders(world, 'drifted', 'missing');
    world.processed('drifted');
    await world.invoke();
    world.advance(minuteMs);
    world.processed('missing');
    world.open.set('drifted', 'status-2');
    failing.id = 'drifted';
    expect(await broken.invoke()).toMatchObject({ outcome: 'complete', drifted: 1, not_started: 1 });
    expect(logs.lines()).toContainEqual(
      expect.objectContaining({ level: 'ERROR', message: 'order could not be reconciled', order_id: 'drifted' }),
    );
    world.advance(minuteMs);
    expect(await world.invoke()).toMatchObject({ drifted: 1, not_started: 0 });
    expect(world.startedIds()).toEqual(['drifted']);
  });

  test('of AWS ends the invocation, and its progress is kept', async () => {
    let startsUntilFault = 150;
    const world = createReconcilerWorld({
      startRound: async () => {
        if (startsUntilFault-- <= 0) throw fault;
        return queued;
      },
    });
    openOrders(world, ...orderIds(300));
    expect(await world.invoke()).toMatchObject({ code: 'AWS_FAULT' });
    expect(logs.lines().at(-1)).toMatchObject({ message: 'reconciliation failed', error_code: 'AWS_FAULT' });
    expect(world.metric('OrdersMissing')).toBeUndefined();
    startsUntilFault = 1_000;
    // The retry of the scheduled invocation resumes the pass at once.
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', pass: 'pass-1', known: 300 });
  });

  test('of Qualia in the middle of the list: the next invocation resumes there', async () => {
    const failing = { at: 180 };
    const offsets: number[] = [];
    const world = createReconcilerWorld({
      qualia: {
        listOpenOrders: async ({ limit, offset }) => {
          offsets.push(offset);
          if (offset === failing.at)
            throw new PipelineError('API_UNAVAILABLE', 'x', { api: 'qualia', retryable: true });
          return [...world.open].slice(offset, offset + limit).map(([id, fingerprint]) => ({ id, fingerprint }));
        },
      },
    });
    openOrders(world, ...orderIds(300));
    expect(await world.invoke()).toMatchObject({ code: 'API_UNAVAILABLE' });
    failing.at = -1;
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', missing: 300 });
    expect(offsets).toEqual([0, 90, 180, 180, 270, 290]);
  });

  test('in the stored last pass is reported, and only the comparison with that pass is skipped', async () => {
    const world = createReconcilerWorld();
    openOrders(world, 'one');
    world.processed('one');
    await world.invoke();
    world.passes.objects.set('last', { bytes: Buffer.from('garbage'), etag: '"other"' });
    world.advance(minuteMs);
    world.open.clear();
    expect(await world.invoke()).toMatchObject({ outcome: 'complete', known: 0 });
    expect(logs.lines()).toContainEqual(
      expect.objectContaining({ level: 'ERROR', message: 'stored pass cannot be read', error_code: 'INTERNAL_FAULT' }),
    );
    expect(await world.invoke()).toMatchObject({ outcome: 'complete' });
  });
});

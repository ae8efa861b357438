import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { type Crash, type Interceptor, recordCalls } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const running: Pipeline[] = [];
const start = async (): Promise<Pipeline> => {
  const pipeline = await startPipeline();
  running.push(pipeline);
  return pipeline;
};
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await start();
});
afterAll(() => Promise.all(running.map(({ stop }) => stop())));

let orders = 0;
/** Creates an order that is open at Qualia, without a webhook. */
const createOpenOrder = async (
  { qualia }: Pipeline,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<string> => {
  const id = `QO-${++orders}`;
  await qualia.add({ ...qualiaOrder(fields), _id: id, order_number: `MKT-${orders}`, status: 'open' });
  return id;
};
/** Creates an open order that was announced by a webhook and posted. */
const createProcessedOrder = async (of: Pipeline): Promise<string> => {
  const id = await createOpenOrder(of);
  await of.post(notification({ order_id: id, timestamp: new Date(of.advance(minuteMs)).toISOString() }));
  await of.drain();
  return id;
};

const statusOf = async (id: string): Promise<string> => (await pipeline.orderOf(id)).status;
const bodyOf = async (id: string, of = pipeline) => (await of.internalApi.postsOf(id)).body;
const reconcileAndDrain = async (of = pipeline) => {
  const report = await of.reconcile();
  await of.drain();
  return report;
};

test('finds an order whose webhook never arrived', async () => {
  const id = await createOpenOrder(pipeline);
  expect(await reconcileAndDrain()).toMatchObject({ outcome: 'complete', missing: 1 });
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED', notification_type: 'reconciliation' });
});

test.each([['NOTIFIED'], ['DOWNLOADED']] as const)(
  'finds an order that is stuck in %s because its message is lost',
  async (status) => {
    const id = await createOpenOrder(pipeline);
    await pipeline.post(notification({ order_id: id, timestamp: new Date(pipeline.advance(minuteMs)).toISOString() }));
    if (status === 'DOWNLOADED') await pipeline.deliver('download');
    await pipeline.purge(status === 'NOTIFIED' ? 'download' : 'processing');
    const { notified_at } = await pipeline.orderOf(id);
    pipeline.advance(15 * minuteMs);
    expect(await reconcileAndDrain()).toMatchObject({ stuck: 0 });
    expect(await statusOf(id)).toBe(status);
    pipeline.advance(1);
    expect(await reconcileAndDrain()).toMatchObject({ stuck: 1 });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED', notified_at });
  },
);

test('finds an order whose status changed without a webhook', async () => {
  const id = await createProcessedOrder(pipeline);
  pipeline.advance(minuteMs);
  await pipeline.reconcile();
  await pipeline.qualia.change(id, { status: 'Open', status_details: { open: true, accepted: true }, purpose: 'new' });
  pipeline.advance(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ drifted: 1, drifted_unnoticed: 1 });
  expect(await bodyOf(id)).toMatchObject({ purpose: 'new' });
  pipeline.advance(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ drifted: 0 });
});

test.each(['Completed', 'Cancelled'])('finds an order that left the open set without a webhook: %s', async (status) => {
  const id = await createProcessedOrder(pipeline);
  pipeline.advance(minuteMs);
  await pipeline.reconcile();
  await pipeline.qualia.change(id, { status });
  pipeline.advance(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ left: 1, drifted_unnoticed: 1 });
  expect(await bodyOf(id)).toMatchObject({ orderStatus: status.toUpperCase() });
  pipeline.advance(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ left: 0 });
});

test('finds a change of other fields without a webhook within a day, with one download per order', async () => {
  const own = await start();
  const id = await createProcessedOrder(own);
  const unchanged = await createProcessedOrder(own);
  await own.qualia.change(id, { purpose: 'new' });
  for (let hour = 0; hour < 24; hour++) {
    own.advance(hourMs);
    await reconcileAndDrain(own);
  }
  expect(await bodyOf(id, own)).toMatchObject({ purpose: 'new' });
  expect(await own.internalApi.effectsOf(unchanged)).toBe(1);
  expect((await own.orderOf(unchanged)).notification_type).toBe('reconciliation');
});

test('starts a round for an order whose item cannot be read', async () => {
  const id = await createProcessedOrder(pipeline);
  const { round, request_id, notified_at } = await pipeline.orderOf(id);
  const unknown = { status: 'POSTPONED', notification_type: 'order.created' };
  await pipeline.putItem({ order_id: id, round, request_id, notified_at, ...unknown });
  expect(await reconcileAndDrain()).toMatchObject({ unreadable: 1 });
  expect(await statusOf(id)).toBe('PROCESSED');
});

test('works if the list of open orders contains no statuses', async () => {
  const own = await start();
  const id = await createProcessedOrder(own);
  await own.qualia.setList({ status_fields: false });
  const missing = await createOpenOrder(own);
  expect(await reconcileAndDrain(own)).toMatchObject({ outcome: 'complete', known: 2, missing: 1 });
  await own.qualia.change(id, { status: 'Completed' });
  own.advance(hourMs);
  expect(await reconcileAndDrain(own)).toMatchObject({ left: 1 });
  expect(await bodyOf(id, own)).toMatchObject({ orderStatus: 'COMPLETED' });
  expect((await own.orderOf(missing)).status).toBe('PROCESSED');
});

/** Makes each call with this name take `ms`. */
const slow =
  (of: Pipeline, name: string, ms: number): Interceptor =>
  (call, make) => {
    if (call === name) of.advance(ms);
    return make();
  };

test('a pass that takes longer than an invocation continues in the next one, and starts one round per order', async () => {
  const own = await start();
  const ids = [];
  for (let count = 0; count < 230; count++) ids.push(await createOpenOrder(own));
  const options = { interceptor: slow(own, 'BatchGetItem', 10 * minuteMs) };
  expect(await own.reconcile(options)).toMatchObject({ outcome: 'continues' });
  expect(await own.continueReconciling(options)).toMatchObject({ outcome: 'complete', known: 230, missing: 230 });
  expect(await own.continueReconciling(options)).toBeUndefined();
  const messages = [];
  for (let batch = await own.receive('download', 10); batch.length > 0; batch = await own.receive('download', 10))
    messages.push(...batch);
  expect(messages).toHaveLength(ids.length);
});

describe('the reconciler crashes', () => {
  /** Creates an order for each reason to start a round, and one that needs none. */
  const prepare = async () => {
    const own = await start();
    const drifted = await createProcessedOrder(own);
    const left = await createProcessedOrder(own);
    const fine = await createProcessedOrder(own);
    own.advance(minuteMs);
    await own.reconcile();
    await own.drain();
    await own.qualia.change(drifted, { status_details: { open: true, accepted: true }, purpose: 'new' });
    await own.qualia.change(left, { status: 'Completed' });
    const missing = await createOpenOrder(own);
    own.advance(hourMs);
    return { own, drifted, left, fine, missing };
  };
  type Prepared = Awaited<ReturnType<typeof prepare>>;

  const expectAllDone = async ({ own, drifted, left, fine, missing }: Prepared) => {
    await own.drain();
    expect(await bodyOf(drifted, own)).toMatchObject({ purpose: 'new' });
    expect(await bodyOf(left, own)).toMatchObject({ orderStatus: 'COMPLETED' });
    expect((await own.orderOf(missing)).status).toBe('PROCESSED');
    for (const id of [fine, missing]) expect(await own.internalApi.effectsOf(id)).toBe(1);
    for (const id of [drifted, left]) expect(await own.internalApi.effectsOf(id)).toBe(2);
  };

  const calls = [
    ...['Query', 'GetObject', 'GetObject', 'listOpenOrders', 'listOpenOrders'],
    'BatchGetItem',
    ...['UpdateItem', 'UpdateItem', 'UpdateItem', 'SendMessage', 'SendMessage', 'SendMessage'],
    'PutObject',
  ];
  const crashes = calls.flatMap((call, index): Crash[] => {
    const nth = calls.slice(0, index + 1).filter((earlier) => earlier === call).length;
    return [
      { call, when: 'before', nth },
      { call, when: 'after', nth },
    ];
  });

  test('makes these calls', async () => {
    const prepared = await prepare();
    const { interceptor, calls: made } = recordCalls();
    expect(await prepared.own.reconcile({ interceptor })).toMatchObject({
      missing: 1,
      drifted: 1,
      left: 1,
      unchecked: 0,
    });
    expect(made.filter((call) => call !== 'GetSecretValue').sort()).toEqual([...calls].sort());
    await expectAllDone(prepared);
  });

  test.each(crashes.map((crash) => [`${crash.when} ${crash.call} ${crash.nth}`, crash] as const))(
    '%s: the next pass completes the work',
    async (_, crash) => {
      const prepared = await prepare();
      expect(await prepared.own.reconcile({ crash })).toBe('crashed');
      prepared.own.advance(minuteMs);
      await prepared.own.drain();
      expect(await prepared.own.reconcile()).toMatchObject({ outcome: 'complete' });
      await prepared.own.drain();
      // The pass finds a round that was written, but whose message was not sent.
      prepared.own.advance(hourMs);
      expect(await prepared.own.reconcile()).toMatchObject({ outcome: 'complete', missing: 0 });
      await expectAllDone(prepared);
    },
  );

  /** Each page takes so long that the invocation ends after it. */
  const slowPages = ({ own }: Prepared) => ({ interceptor: slow(own, 'listOpenOrders', 14 * minuteMs) });
  const handover = ['PutObject', 'SendMessage'] as const;

  test.each(
    handover.flatMap((call) => [
      [`before ${call}`, { call, when: 'before' }] as const,
      [`after ${call}`, { call, when: 'after' }] as const,
    ]),
  )('while it hands the pass over to its next invocation, %s', async (_, crash) => {
    const prepared = await prepare();
    const { own } = prepared;
    expect(await own.reconcile({ ...slowPages(prepared), crash })).toBe('crashed');
    // If the message was sent, it continues the pass. Otherwise the next scheduled invocation does.
    const continued = await own.continueReconciling(slowPages(prepared));
    expect(continued).toEqual(
      crash.call === 'SendMessage' && crash.when === 'after'
        ? expect.objectContaining({ outcome: 'continues' })
        : undefined,
    );
    own.advance(hourMs);
    await own.reconcile();
    while ((await own.continueReconciling()) !== undefined);
    await own.drain();
    await expectAllDone(prepared);
  });

  test.each([
    ['before', 'listOpenOrders'],
    ['after', 'UpdateItem'],
    ['before', 'PutObject'],
  ] as const)('in an invocation that continues a pass, %s %s: its message is delivered again', async (when, call) => {
    const prepared = await prepare();
    const { own } = prepared;
    expect(await own.reconcile(slowPages(prepared))).toMatchObject({ outcome: 'continues' });
    expect(await own.continueReconciling({ crash: { call, when } })).toBe('crashed');
    own.advance(16 * minuteMs);
    expect(await own.continueReconciling()).toMatchObject({ outcome: 'complete' });
    await own.drain();
    own.advance(hourMs);
    await own.reconcile();
    await expectAllDone(prepared);
  });
});

test('orders that are completed while the list is read do not make other orders seem completed', async () => {
  const own = await start();
  const ids = [];
  for (let count = 0; count < 40; count++) ids.push(await createOpenOrder(own));
  await own.qualia.setList({ longest_page: 10 });
  expect(await reconcileAndDrain(own)).toMatchObject({ missing: 40 });
  await own.qualia.setList({ longest_page: 10, completes_per_page: 3 });
  own.advance(hourMs);
  const report = await own.reconcile();
  expect(report).toMatchObject({ outcome: 'complete', known: 40, left: 0 });
  // The next pass notices the orders that were completed after their page had been read.
  await own.qualia.setList({ longest_page: 10 });
  await own.drain();
  own.advance(hourMs);
  const next = await reconcileAndDrain(own);
  expect(next !== 'crashed' && Number(next.left)).toBeGreaterThan(5);
  for (const id of ids) expect((await own.orderOf(id)).status).toBe('PROCESSED');
  // Eighty downloads and POSTs, each in a new execution environment, can exceed the usual limit on a busy machine.
});

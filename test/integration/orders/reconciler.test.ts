import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { type Death, type Outside, recording } from '../support/outside';
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
/** An order that is open at Qualia, and nowhere else. */
const openAtQualia = async ({ qualia }: Pipeline, fields: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  const id = `QO-${++orders}`;
  await qualia.add({ ...qualiaOrder(fields), _id: id, order_number: `MKT-${orders}`, status: 'open' });
  return id;
};
/** An order that came by a webhook and was posted. */
const known = async (of: Pipeline): Promise<string> => {
  const id = await openAtQualia(of);
  await of.post(notification({ order_id: id, timestamp: new Date(of.pass(minuteMs)).toISOString() }));
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

test('an order whose webhook never came', async () => {
  const id = await openAtQualia(pipeline);
  expect(await reconcileAndDrain()).toMatchObject({ outcome: 'complete', missing: 1 });
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED', notification_type: 'reconciliation' });
});

test.each([['NOTIFIED'], ['DOWNLOADED']] as const)(
  'an order that is stuck in %s, as its message is lost',
  async (status) => {
    const id = await openAtQualia(pipeline);
    await pipeline.post(notification({ order_id: id, timestamp: new Date(pipeline.pass(minuteMs)).toISOString() }));
    if (status === 'DOWNLOADED') await pipeline.deliver('download');
    await pipeline.purge(status === 'NOTIFIED' ? 'download' : 'processing');
    const { notified_at } = await pipeline.orderOf(id);
    pipeline.pass(15 * minuteMs);
    expect(await reconcileAndDrain()).toMatchObject({ stuck: 0 });
    expect(await statusOf(id)).toBe(status);
    pipeline.pass(1);
    expect(await reconcileAndDrain()).toMatchObject({ stuck: 1 });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED', notified_at });
  },
);

test('an order that changed its status without a webhook', async () => {
  const id = await known(pipeline);
  pipeline.pass(minuteMs);
  await pipeline.reconcile();
  await pipeline.qualia.change(id, { status: 'Open', status_details: { open: true, accepted: true }, purpose: 'new' });
  pipeline.pass(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ drifted: 1, drifted_unnoticed: 1 });
  expect(await bodyOf(id)).toMatchObject({ purpose: 'new' });
  pipeline.pass(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ drifted: 0 });
});

test.each(['Completed', 'Cancelled'])('an order that left the open set without a webhook: %s', async (status) => {
  const id = await known(pipeline);
  pipeline.pass(minuteMs);
  await pipeline.reconcile();
  await pipeline.qualia.change(id, { status });
  pipeline.pass(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ left: 1, drifted_unnoticed: 1 });
  expect(await bodyOf(id)).toMatchObject({ orderStatus: status.toUpperCase() });
  pipeline.pass(hourMs);
  expect(await reconcileAndDrain()).toMatchObject({ left: 0 });
});

test('an order whose other fields changed without a webhook is found within a day, at the cost of one download', async () => {
  const own = await start();
  const id = await known(own);
  const unchanged = await known(own);
  await own.qualia.change(id, { purpose: 'new' });
  for (let hour = 0; hour < 24; hour++) {
    own.pass(hourMs);
    await reconcileAndDrain(own);
  }
  expect(await bodyOf(id, own)).toMatchObject({ purpose: 'new' });
  expect(await own.internalApi.effectsOf(unchanged)).toBe(1);
  expect((await own.orderOf(unchanged)).notification_type).toBe('reconciliation');
});

test('an order whose item cannot be read', async () => {
  const id = await known(pipeline);
  const { round, request_id, notified_at } = await pipeline.orderOf(id);
  const unknown = { status: 'POSTPONED', notification_type: 'order.created' };
  await pipeline.putItem({ order_id: id, round, request_id, notified_at, ...unknown });
  expect(await reconcileAndDrain()).toMatchObject({ unreadable: 1 });
  expect(await statusOf(id)).toBe('PROCESSED');
});

test('an API that does not show the status of listed orders', async () => {
  const own = await start();
  const id = await known(own);
  await own.qualia.setList({ status_fields: false });
  const missing = await openAtQualia(own);
  expect(await reconcileAndDrain(own)).toMatchObject({ outcome: 'complete', known: 2, missing: 1 });
  await own.qualia.change(id, { status: 'Completed' });
  own.pass(hourMs);
  expect(await reconcileAndDrain(own)).toMatchObject({ left: 1 });
  expect(await bodyOf(id, own)).toMatchObject({ orderStatus: 'COMPLETED' });
  expect((await own.orderOf(missing)).status).toBe('PROCESSED');
});

/** Each call of this name takes so long. */
const slow =
  (of: Pipeline, name: string, ms: number): Outside =>
  (call, make) => {
    if (call === name) of.pass(ms);
    return make();
  };

test('a pass that exceeds its invocations continues by itself, each order starting once', async () => {
  const own = await start();
  const ids = [];
  for (let count = 0; count < 230; count++) ids.push(await openAtQualia(own));
  const options = { outside: slow(own, 'BatchGetItem', 10 * minuteMs) };
  expect(await own.reconcile(options)).toMatchObject({ outcome: 'continues' });
  expect(await own.continueReconciling(options)).toMatchObject({ outcome: 'complete', known: 230, missing: 230 });
  expect(await own.continueReconciling(options)).toBeUndefined();
  const messages = [];
  for (let batch = await own.receive('download', 10); batch.length > 0; batch = await own.receive('download', 10))
    messages.push(...batch);
  expect(messages).toHaveLength(ids.length);
});

describe('a reconciler that is killed at any call', () => {
  /** One order of each kind that needs a round, and one that needs none. */
  const prepare = async () => {
    const own = await start();
    const drifted = await known(own);
    const left = await known(own);
    const fine = await known(own);
    own.pass(minuteMs);
    await own.reconcile();
    await own.drain();
    await own.qualia.change(drifted, { status_details: { open: true, accepted: true }, purpose: 'new' });
    await own.qualia.change(left, { status: 'Completed' });
    const missing = await openAtQualia(own);
    own.pass(hourMs);
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
    ...['GetObject', 'GetObject', 'listOpenOrders', 'listOpenOrders'],
    'BatchGetItem',
    ...['UpdateItem', 'UpdateItem', 'UpdateItem', 'SendMessage', 'SendMessage', 'SendMessage'],
    'PutObject',
  ];
  const deaths = calls.flatMap((call, index): Death[] => {
    const nth = calls.slice(0, index + 1).filter((earlier) => earlier === call).length;
    return [
      { call, when: 'before', nth },
      { call, when: 'after', nth },
    ];
  });

  test('makes these calls', async () => {
    const prepared = await prepare();
    const { outside, calls: made } = recording();
    expect(await prepared.own.reconcile({ outside })).toMatchObject({ missing: 1, drifted: 1, left: 1, unchecked: 0 });
    expect(made.filter((call) => call !== 'GetSecretValue').sort()).toEqual([...calls].sort());
    await expectAllDone(prepared);
  });

  test.each(deaths.map((death) => [`${death.when} ${death.call} ${death.nth}`, death] as const))(
    '%s: the next pass completes the work',
    async (_, death) => {
      const prepared = await prepare();
      expect(await prepared.own.reconcile({ death })).toBe('died');
      prepared.own.pass(minuteMs);
      await prepared.own.drain();
      expect(await prepared.own.reconcile()).toMatchObject({ outcome: 'complete' });
      await prepared.own.drain();
      // A round that was written without its message is stuck.
      prepared.own.pass(hourMs);
      expect(await prepared.own.reconcile()).toMatchObject({ outcome: 'complete', missing: 0 });
      await expectAllDone(prepared);
    },
  );

  /** Its time is up after every page of the list. */
  const hasty = ({ own }: Prepared) => ({ outside: slow(own, 'listOpenOrders', 14 * minuteMs) });
  const handover = ['PutObject', 'SendMessage'] as const;

  test.each(
    handover.flatMap((call) => [
      [`before ${call}`, { call, when: 'before' }] as const,
      [`after ${call}`, { call, when: 'after' }] as const,
    ]),
  )('while it hands over to its next invocation, %s', async (_, death) => {
    const prepared = await prepare();
    const { own } = prepared;
    expect(await own.reconcile({ ...hasty(prepared), death })).toBe('died');
    // A message that was sent is delivered; without one, the schedule takes the pass up.
    const continued = await own.continueReconciling(hasty(prepared));
    expect(continued).toEqual(
      death.call === 'SendMessage' && death.when === 'after'
        ? expect.objectContaining({ outcome: 'continues' })
        : undefined,
    );
    own.pass(hourMs);
    await own.reconcile();
    while ((await own.continueReconciling()) !== undefined);
    await own.drain();
    await expectAllDone(prepared);
  });

  test.each([
    ['before', 'listOpenOrders'],
    ['after', 'UpdateItem'],
    ['before', 'PutObject'],
  ] as const)('in an invocation that continues a pass, %s %s: its message comes back', async (when, call) => {
    const prepared = await prepare();
    const { own } = prepared;
    expect(await own.reconcile(hasty(prepared))).toMatchObject({ outcome: 'continues' });
    expect(await own.continueReconciling({ death: { call, when } })).toBe('died');
    own.pass(16 * minuteMs);
    expect(await own.continueReconciling()).toMatchObject({ outcome: 'complete' });
    await own.drain();
    own.pass(hourMs);
    await own.reconcile();
    await expectAllDone(prepared);
  });
});

test('orders that close while the list is read make no other one look closed', async () => {
  const own = await start();
  const ids = [];
  for (let count = 0; count < 40; count++) ids.push(await openAtQualia(own));
  await own.qualia.setList({ longest_page: 10 });
  expect(await reconcileAndDrain(own)).toMatchObject({ missing: 40 });
  await own.qualia.setList({ longest_page: 10, completes_per_page: 3 });
  own.pass(hourMs);
  const report = await own.reconcile();
  expect(report).toMatchObject({ outcome: 'complete', known: 40, left: 0 });
  // Those that were completed behind the walk have left by the next pass.
  await own.qualia.setList({ longest_page: 10 });
  await own.drain();
  own.pass(hourMs);
  const next = await reconcileAndDrain(own);
  expect(next !== 'died' && Number(next.left)).toBeGreaterThan(5);
  for (const id of ids) expect((await own.orderOf(id)).status).toBe('PROCESSED');
  // Eighty downloads and posts, one process each: more than the usual limit allows on a busy machine.
}, 90_000);

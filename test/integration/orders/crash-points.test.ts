import type { Fault } from '../../../local/simulators/faults';
import type { WorkerName } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import { type Crash, recordCalls } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

/** Each test has its own order. */
let id: string;
let orders = 0;
beforeEach(async () => {
  id = `QO-${++orders}`;
  pipeline.metrics.added.length = 0;
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: `MKT-${orders}` });
});
afterEach(async () => {
  await pipeline.qualia.setFaults();
  await pipeline.internalApi.setFaults();
});

/** The calls of each Lambda for a clean order, in a new execution environment. */
const cleanCalls = {
  webhook: ['GetSecretValue', 'UpdateItem', 'SendMessage'],
  download: ['fetchOrder', 'GetSecretValue', 'PutObject', 'UpdateItem', 'SendMessageBatch'],
  processing: ['GetObject', 'GetItem', 'postOrder', 'GetSecretValue', 'UpdateItem'],
} as const;

/** A crash before each call, and one after it. */
const crashesAt = (calls: readonly string[]): (Crash & { point: string })[] =>
  calls.flatMap((call, index) => {
    const nth = calls.slice(0, index + 1).filter((earlier) => earlier === call).length;
    return (['before', 'after'] as const).map((when) => ({ call, when, nth, point: `${when} ${call} ${nth}` }));
  });

const notify = (crash?: Crash) => pipeline.post(notification({ order_id: id }), crash && { crash });
const fail = (worker: WorkerName, ...faults: readonly Fault[]) =>
  (worker === 'download' ? pipeline.qualia : pipeline.internalApi).setFaults(...faults);
/** Processes the order until its message is in the worker's queue. */
const advanceTo = async (worker: WorkerName) => {
  await notify();
  if (worker === 'processing') await pipeline.deliver('download');
};
const expectProcessedOnce = async () => {
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
};

test('a clean order makes these calls', async () => {
  const webhook = recordCalls();
  await pipeline.post(notification({ order_id: id }), { interceptor: webhook.interceptor });
  const download = recordCalls();
  await pipeline.deliver('download', { interceptor: download.interceptor });
  const processing = recordCalls();
  await pipeline.deliver('processing', { interceptor: processing.interceptor });
  expect({ webhook: webhook.calls, download: download.calls, processing: processing.calls }).toEqual(cleanCalls);
});

describe('the webhook crashes, and the sender retries', () => {
  const bodies = { notification: () => notification({ order_id: id }), activity: () => activity({ order_id: id }) };
  describe.each(Object.entries(bodies))('%s', (_shape, body) => {
    test.each(crashesAt(cleanCalls.webhook))('$point', async (crash) => {
      expect(await pipeline.post(body(), { crash })).toBe('crashed');
      expect(await pipeline.post(body())).toMatchObject({ statusCode: 200 });
      await expectProcessedOnce();
    });
  });
});

describe.each(['download', 'processing'] as const)('the %s worker crashes', (worker) => {
  const crashes = crashesAt(cleanCalls[worker]);

  test.each(crashes)('$point', async (crash) => {
    await advanceTo(worker);
    expect(await pipeline.deliver(worker, { crash })).toHaveLength(1);
    await expectProcessedOnce();
  });

  test('after its last call, before its message is deleted', async () => {
    await advanceTo(worker);
    await pipeline.deliver(worker, { deletionLost: true });
    await expectProcessedOnce();
  });

  // A crash before a call is equivalent to a crash after the previous call, so these points are enough.
  const afterCalls = crashes.filter(({ when }) => when === 'after');
  test.each(afterCalls)('$point, and the next delivery after any call', async (crash) => {
    for (const secondCrash of afterCalls) {
      id = `QO-${++orders}`;
      await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: `MKT-${orders}` });
      await advanceTo(worker);
      await pipeline.deliver(worker, { crash });
      await pipeline.deliver(worker, { crash: secondCrash });
      await expectProcessedOnce();
    }
  });
});

describe('the processing worker crashes with an unchanged order', () => {
  const calls = cleanCalls.processing.filter((call) => call !== 'postOrder' && call !== 'GetSecretValue');
  test.each(crashesAt(calls))('$point', async (crash) => {
    await notify();
    await pipeline.drain();
    await pipeline.startRound(id);
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { crash });
    await expectProcessedOnce();
    expect((await pipeline.internalApi.postsOf(id)).posts).toHaveLength(1);
  });
});

describe('a worker crashes while it handles a failure', () => {
  const firstCalls = { download: ['fetchOrder'], processing: ['GetObject', 'GetItem', 'postOrder'] } as const;
  const workers = ['download', 'processing'] as const;
  const rows = (failureCalls: readonly string[]) =>
    workers.flatMap((worker) =>
      crashesAt([...firstCalls[worker], ...failureCalls]).map((crash) => ({
        ...crash,
        worker,
        name: `${worker} ${crash.point}`,
      })),
    );

  test.each(rows(['ChangeMessageVisibility']))('a temporary one: $name', async ({ worker, ...crash }) => {
    await advanceTo(worker);
    await fail(worker, { kind: 'server_error' });
    await pipeline.deliver(worker, { crash });
    await fail(worker);
    await expectProcessedOnce();
  });

  test.each(rows(['UpdateItem']))('a permanent one: $name', async ({ worker, ...crash }) => {
    await advanceTo(worker);
    await fail(worker, { kind: 'client_error' });
    await pipeline.deliver(worker, { crash });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'API_REFUSED', stage: worker },
    });
    // This metric raises the alarm.
    expect(pipeline.metrics.added).toContain('OrderFailed');
    await fail(worker);
    await pipeline.startRound(id);
    await expectProcessedOnce();
  });

  test.each(rows(['UpdateItem', 'ChangeMessageVisibility']))(
    'one of the last receive: $name',
    async ({ worker, ...crash }) => {
      await advanceTo(worker);
      await fail(worker, { kind: 'server_error' });
      for (let receives = 1; receives < 5; receives++) await pipeline.deliver(worker);
      await pipeline.deliver(worker, { crash });
      await pipeline.drain();
      expect(await pipeline.deadLetters(worker)).toHaveLength(1);
      await fail(worker);
      await pipeline.redrive(worker);
      await expectProcessedOnce();
      expect(await pipeline.deadLetters(worker)).toEqual([]);
    },
  );
});

describe('a worker crashes while it replaces a message by a fresh copy at the last receive', () => {
  test.each(crashesAt(['GetItem', 'SendMessage']))('$point', async (crash) => {
    const outage = await startPipeline({ onlyOwnResponses: true });
    await outage.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1' });
    await outage.qualia.setFaults({ kind: 'server_error' });
    await outage.post(notification({ order_id: id }));
    for (let receives = 1; receives < 5; receives++) await outage.deliver('download');
    await outage.deliver('download', { crash });
    await outage.qualia.setFaults();
    await outage.drain();
    // The crashed receive was the last one.
    expect(await outage.deadLetters('download')).toHaveLength(1);
    await outage.redrive('download');
    await outage.drain();
    expect(await outage.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await outage.internalApi.effectsOf(id)).toBe(1);
    await outage.stop();
  });
});

test.each(['before', 'after'] as const)(
  'a worker whose circuit is open crashes %s it sends a fresh copy',
  async (when) => {
    await pipeline.qualia.setFaults({ kind: 'server_error' });
    const environment = pipeline.lambdas.download();
    await notify();
    await pipeline.deliver('download', { environment });
    await pipeline.deliver('download', { environment });
    expect(pipeline.metrics.added).toContain('CircuitOpen');
    await pipeline.deliver('download', { environment, crash: { call: 'SendMessage', when } });
    await environment.close();
    await pipeline.qualia.setFaults();
    await expectProcessedOnce();
  },
);

test.each<Fault>([{ kind: 'null_order' }, { kind: 'client_error', status: 403 }, { kind: 'garbage' }])(
  'a worker crashes before it sends a downloaded order to processing, then Qualia responds with $kind: the stored payload is processed',
  async (fault) => {
    await notify();
    await pipeline.deliver('download', { crash: { call: 'SendMessageBatch', when: 'before' } });
    await pipeline.qualia.setFaults(fault);
    await expectProcessedOnce();
  },
);

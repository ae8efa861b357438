import type { Fault } from '../../../local/simulators/faults';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import { type Death, recording } from '../support/outside';
import { type Pipeline, type StageName, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

/** Each story is about an order of its own. */
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

/** What each Lambda calls on its way, in a new execution environment. */
const cleanCalls = {
  webhook: ['GetSecretValue', 'UpdateItem', 'SendMessage'],
  download: ['fetchOrder', 'GetSecretValue', 'PutObject', 'UpdateItem', 'SendMessage'],
  processing: ['GetObject', 'GetItem', 'postOrder', 'GetSecretValue', 'UpdateItem'],
} as const;

/** The points before and after each call. */
const deathsAt = (calls: readonly string[]): (Death & { point: string })[] =>
  calls.flatMap((call, index) => {
    const nth = calls.slice(0, index + 1).filter((earlier) => earlier === call).length;
    return (['before', 'after'] as const).map((when) => ({ call, when, nth, point: `${when} ${call} ${nth}` }));
  });

const notify = (death?: Death) => pipeline.post(notification({ order_id: id }), death && { death });
const fail = (stage: StageName, ...faults: readonly Fault[]) =>
  (stage === 'download' ? pipeline.qualia : pipeline.internalApi).setFaults(...faults);
/** Brings the order to the point where a stage has its message. */
const arriveAt = async (stage: StageName) => {
  await notify();
  if (stage === 'processing') await pipeline.deliver('download');
};
const expectProcessedOnce = async () => {
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
};

test('a clean order makes these calls', async () => {
  const webhook = recording();
  await pipeline.post(notification({ order_id: id }), { outside: webhook.outside });
  const download = recording();
  await pipeline.deliver('download', { outside: download.outside });
  const processing = recording();
  await pipeline.deliver('processing', { outside: processing.outside });
  expect({ webhook: webhook.calls, download: download.calls, processing: processing.calls }).toEqual(cleanCalls);
});

describe('the webhook dies, and its sender tries again', () => {
  const bodies = { notification: () => notification({ order_id: id }), activity: () => activity({ order_id: id }) };
  describe.each(Object.entries(bodies))('%s', (_shape, body) => {
    test.each(deathsAt(cleanCalls.webhook))('$point', async (death) => {
      expect(await pipeline.post(body(), { death })).toBe('died');
      expect(await pipeline.post(body())).toMatchObject({ statusCode: 200 });
      await expectProcessedOnce();
    });
  });
});

describe.each(['download', 'processing'] as const)('the %s worker dies', (stage) => {
  const deaths = deathsAt(cleanCalls[stage]);

  test.each(deaths)('$point', async (death) => {
    await arriveAt(stage);
    expect(await pipeline.deliver(stage, { death })).toHaveLength(1);
    await expectProcessedOnce();
  });

  test('after its last call: its message is not deleted', async () => {
    await arriveAt(stage);
    await pipeline.deliver(stage, { deletionLost: true });
    await expectProcessedOnce();
  });

  // Before a call nothing has happened that had not happened after the one before it: those points are enough.
  const afterCalls = deaths.filter(({ when }) => when === 'after');
  test.each(afterCalls)('$point, and its successor after any call', async (death) => {
    for (const second of afterCalls) {
      id = `QO-${++orders}`;
      await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: `MKT-${orders}` });
      await arriveAt(stage);
      await pipeline.deliver(stage, { death });
      await pipeline.deliver(stage, { death: second });
      await expectProcessedOnce();
    }
  });
});

describe('the processing worker dies on an order that did not change', () => {
  const calls = cleanCalls.processing.filter((call) => call !== 'postOrder' && call !== 'GetSecretValue');
  test.each(deathsAt(calls))('$point', async (death) => {
    await notify();
    await pipeline.drain();
    await pipeline.touch(id);
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { death });
    await expectProcessedOnce();
    expect((await pipeline.internalApi.postsOf(id)).posts).toHaveLength(1);
  });
});

describe('a worker dies while it deals with a failure', () => {
  const firstCalls = { download: ['fetchOrder'], processing: ['GetObject', 'GetItem', 'postOrder'] } as const;
  const stages = ['download', 'processing'] as const;
  const rows = (settling: readonly string[]) =>
    stages.flatMap((stage) =>
      deathsAt([...firstCalls[stage], ...settling]).map((death) => ({
        ...death,
        stage,
        name: `${stage} ${death.point}`,
      })),
    );

  test.each(rows(['ChangeMessageVisibility']))('that passes: $name', async ({ stage, ...death }) => {
    await arriveAt(stage);
    await fail(stage, { kind: 'server_error' });
    await pipeline.deliver(stage, { death });
    await fail(stage);
    await expectProcessedOnce();
  });

  test.each(rows(['UpdateItem']))('that is permanent: $name', async ({ stage, ...death }) => {
    await arriveAt(stage);
    await fail(stage, { kind: 'client_error' });
    await pipeline.deliver(stage, { death });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'FAILED', error: { code: 'API_REFUSED', stage } });
    // What the alarm is raised by.
    expect(pipeline.metrics.added).toContain('OrderFailed');
    await fail(stage);
    await pipeline.touch(id);
    await expectProcessedOnce();
  });

  test.each(rows(['UpdateItem', 'ChangeMessageVisibility']))(
    'at its last receive: $name',
    async ({ stage, ...death }) => {
      await arriveAt(stage);
      await fail(stage, { kind: 'server_error' });
      for (let receives = 1; receives < 5; receives++) await pipeline.deliver(stage);
      await pipeline.deliver(stage, { death });
      await pipeline.drain();
      expect(await pipeline.deadLetters(stage)).toHaveLength(1);
      await fail(stage);
      await pipeline.redrive(stage);
      await expectProcessedOnce();
      expect(await pipeline.deadLetters(stage)).toEqual([]);
    },
  );
});

describe('a worker dies while it spares a message its last receive', () => {
  test.each(deathsAt(['GetItem', 'SendMessage']))('$point', async (death) => {
    const outage = await startPipeline({ alone: true });
    await outage.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1' });
    await outage.qualia.setFaults({ kind: 'server_error' });
    await outage.post(notification({ order_id: id }));
    for (let receives = 1; receives < 5; receives++) await outage.deliver('download');
    await outage.deliver('download', { death });
    await outage.qualia.setFaults();
    await outage.drain();
    // It had no receive left to come back with.
    expect(await outage.deadLetters('download')).toHaveLength(1);
    await outage.redrive('download');
    await outage.drain();
    expect(await outage.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await outage.internalApi.effectsOf(id)).toBe(1);
    await outage.stop();
  });
});

test.each(['before', 'after'] as const)(
  'a worker whose circuit is open dies %s it sends a fresh copy',
  async (when) => {
    await pipeline.qualia.setFaults({ kind: 'server_error' });
    const warm = pipeline.lambdas.download();
    await notify();
    await pipeline.deliver('download', { worker: warm });
    await pipeline.deliver('download', { worker: warm });
    expect(pipeline.metrics.added).toContain('CircuitOpen');
    await pipeline.deliver('download', { worker: warm, death: { call: 'SendMessage', when } });
    await warm.close();
    await pipeline.qualia.setFaults();
    await expectProcessedOnce();
  },
);

test.each<Fault>([{ kind: 'null_order' }, { kind: 'client_error', status: 403 }, { kind: 'garbage' }])(
  'a worker dies before it sends a downloaded order on, and then Qualia responds with $kind: the download is used',
  async (fault) => {
    await notify();
    await pipeline.deliver('download', { death: { call: 'SendMessage', when: 'before' } });
    await pipeline.qualia.setFaults(fault);
    await expectProcessedOnce();
  },
);

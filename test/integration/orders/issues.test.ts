import type { Fault } from '../../../local/simulators/faults';
import type { WorkerName } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { recordCalls } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
});
afterEach(() => pipeline.stop());

const addOrder = async (id: string, fields: object = {}): Promise<void> => {
  await pipeline.qualia.add({ ...qualiaOrder(), ...fields, _id: id, order_number: `MKT-${id}` });
  await pipeline.post(notification({ order_id: id }));
};
const fail = (worker: WorkerName, ...faults: readonly Fault[]) =>
  (worker === 'download' ? pipeline.qualia : pipeline.internalApi).setFaults(...faults);
/** Makes an order fail: its message is delivered until its receives run out. */
const failOrder = async (worker: WorkerName, fault: Fault): Promise<void> => {
  await fail(worker, fault);
  await addOrder('QO-1');
  await pipeline.drain();
};

describe('failures are grouped by cause', () => {
  test.each<[string, WorkerName, Fault, object]>([
    ['an unknown order', 'download', { kind: 'null_order' }, { code: 'ORDER_NOT_FOUND' }],
    ['no JSON', 'download', { kind: 'garbage' }, { code: 'BAD_ANSWER', status_code: 200, detail: 'not JSON' }],
    [
      'a permanent GraphQL error',
      'download',
      { kind: 'graphql_error', code: 'FORBIDDEN' },
      { code: 'GRAPHQL_ERROR', detail: 'FORBIDDEN' },
    ],
    ['a refusal', 'processing', { kind: 'client_error', status: 403 }, { code: 'API_REFUSED', status_code: 403 }],
    [
      'a refusal that names a field',
      'processing',
      {
        kind: 'client_error',
        status: 422,
        body: '{"details":[{"path":"properties.0.address.zip","message":"10001"}]}',
      },
      { code: 'API_REFUSED', status_code: 422, detail: 'properties' },
    ],
    [
      'an error that lasts',
      'processing',
      { kind: 'server_error' },
      { code: 'RETRIES_EXHAUSTED', status_code: 503, detail: 'API_UNAVAILABLE' },
    ],
  ])('%s', async (_cause, worker, fault, expected) => {
    await failOrder(worker, fault);
    const at = new Date(pipeline.now()).toISOString();
    expect(await pipeline.issues()).toEqual([
      {
        kind: 'ISSUE',
        id: expect.stringMatching(/^[0-9a-f]{8}$/),
        worker,
        ...expected,
        count: 1,
        sample: 'QO-1',
        first_seen: at,
        last_seen: at,
        last_write: expect.any(String),
        release: '1.2.3 (abc)',
        last_release: '1.2.3 (abc)',
      },
    ]);
    const [issue] = (await pipeline.issues()) as { id: string }[];
    expect(await pipeline.orderOf('QO-1')).toMatchObject({ error: { issue_id: issue?.id } });
  });

  test('an unknown state, an unreadable field, and orders of one batch with the same cause', async () => {
    const inState = (state: string) => ({ properties: [{ city: 'Fresno', state }] });
    await addOrder('QO-1', inState('ZZ'));
    await addOrder('QO-2', inState('Ada Byron'));
    await addOrder('QO-3', inState('ZZ'));
    await addOrder('QO-4', { properties: [{ city: { name: 'Fresno' } }] });
    const { calls, interceptor } = recordCalls();
    await pipeline.deliver('download', { interceptor });
    await pipeline.deliver('processing', { interceptor });
    expect(await pipeline.issues()).toHaveLength(3);
    expect(await pipeline.issues()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'UNKNOWN_STATE', detail: 'ZZ', count: 2 }),
        expect.objectContaining({ code: 'UNKNOWN_STATE', detail: '(not a code)', count: 1, sample: 'QO-2' }),
        expect.objectContaining({ code: 'BAD_ANSWER', detail: 'properties.city', count: 1, sample: 'QO-4' }),
      ]),
    );
    // For each of four orders its last write, for one of them also a DOWNLOADED; then one write per issue.
    expect(calls.filter((call) => call === 'UpdateItem')).toHaveLength(4 + 3 + 3);
  });
});

test('a round that is redriven and fails again counts once, but is seen again', async () => {
  await failOrder('processing', { kind: 'server_error' });
  pipeline.advance(3_600_000);
  await pipeline.redrive('processing');
  await pipeline.drain();
  expect(await pipeline.issues()).toEqual([
    expect.objectContaining({ count: 1, last_seen: new Date(pipeline.now()).toISOString() }),
  ]);
  // A new round counts.
  await pipeline.purge('processing');
  await pipeline.startRound('QO-1');
  await pipeline.drain();
  expect(await pipeline.issues()).toEqual([expect.objectContaining({ count: 2 })]);
});

test('a failed order without its issue is FAILED, and its message is gone', async () => {
  await fail('processing', { kind: 'client_error', status: 403 });
  await addOrder('QO-1');
  await pipeline.deliver('download');
  let updates = 0;
  await pipeline.deliver('processing', {
    interceptor: (call, make) =>
      call === 'UpdateItem' && ++updates === 2 ? Promise.reject(new Error('throttled')) : make(),
  });
  expect(await pipeline.orderOf('QO-1')).toMatchObject({ status: 'FAILED', error: { code: 'API_REFUSED' } });
  expect(await pipeline.issues()).toEqual([]);
  expect(await pipeline.deliver('processing')).toEqual([]);
});

/** Long enough for the workers that failed an order to have ended. */
const settledMs = 3 * 60_000;

const countsOf = async (): Promise<number[]> => {
  const issues = (await pipeline.issues()) as { count: number }[];
  return issues.map(({ count }) => count);
};

describe('a worker crashes while an order fails: the failure counts once after the next watch', () => {
  const points = (calls: readonly string[]) =>
    calls.flatMap((call, index) => {
      const nth = calls.slice(0, index + 1).filter((earlier) => earlier === call).length;
      return (['before', 'after'] as const).map((when) => ({ call, when, nth, point: `${when} ${call} ${nth}` }));
    });

  test.each(points(['UpdateItem', 'UpdateItem']))('a permanent failure: $point', async ({ point, ...crash }) => {
    await fail('processing', { kind: 'client_error', status: 403 });
    await addOrder('QO-1');
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { crash });
    await pipeline.drain();
    expect(await pipeline.orderOf('QO-1')).toMatchObject({ status: 'FAILED' });
    const isMissing = point === 'after UpdateItem 1' || point === 'before UpdateItem 2';
    expect(await countsOf()).toEqual(isMissing ? [] : [1]);
    // Its worker may still be running.
    await pipeline.watchIssues();
    expect(await countsOf()).toEqual(isMissing ? [] : [1]);
    for (let watches = 0; watches < 3; watches++) {
      pipeline.advance(settledMs);
      await pipeline.watchIssues();
      expect(await countsOf()).toEqual([1]);
    }
    expect(await pipeline.issues()).toEqual([
      expect.objectContaining({ worker: 'processing', code: 'API_REFUSED', status_code: 403, sample: 'QO-1' }),
    ]);
  });

  test.each(points(['UpdateItem', 'ChangeMessageVisibility', 'UpdateItem']))(
    'the last receive: $point',
    async ({ point: _point, ...crash }) => {
      await fail('processing', { kind: 'server_error' });
      await addOrder('QO-1');
      await pipeline.deliver('download');
      for (let receives = 1; receives < 5; receives++) await pipeline.deliver('processing');
      await pipeline.deliver('processing', { crash });
      await pipeline.drain();
      const isRecorded = crash.nth === 2 && crash.when === 'after';
      expect(await countsOf()).toEqual(isRecorded ? [1] : []);
      pipeline.advance(settledMs);
      await pipeline.watchIssues();
      const isFailed = (await pipeline.orderOf('QO-1')).status === 'FAILED';
      expect(await countsOf()).toEqual(isFailed ? [1] : []);
      await pipeline.redrive('processing');
      await pipeline.drain();
      expect(await countsOf()).toEqual([1]);
    },
  );
});

describe('the watch', () => {
  const failOne = () => failOrder('processing', { kind: 'client_error', status: 403 });
  const subjectsOf = ({ notices }: Awaited<ReturnType<Pipeline['watchIssues']>>) =>
    notices.map(({ subject }) => subject);
  const cause = 'processing API_REFUSED 403';
  const hourMs = 3_600_000;

  test('notifies once when an issue opens, grows tenfold, recovers and returns', async () => {
    await failOne();
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([`[test] Issue opened: ${cause}`]);
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([]);
    for (let orders = 2; orders <= 10; orders++) await addOrder(`QO-${orders}`);
    await pipeline.drain();
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([`[test] Issue grew: ${cause}`]);
    // Quiet, but its orders are still FAILED.
    pipeline.advance(25 * hourMs);
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([]);
    await fail('processing');
    for (let orders = 1; orders <= 10; orders++) await pipeline.startRound(`QO-${orders}`);
    await pipeline.drain();
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([`[test] Issue recovered: ${cause}`]);
    expect(await pipeline.issues()).toEqual([expect.objectContaining({ resolved_by: 'quiet', resolved_count: 10 })]);
    pipeline.advance(hourMs);
    await fail('processing', { kind: 'client_error', status: 403 });
    await addOrder('QO-11');
    await pipeline.drain();
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([`[test] Issue reopened: ${cause}`]);
    expect(subjectsOf(await pipeline.watchIssues())).toEqual([]);
  });

  test.each<[string, 'before' | 'after', number]>([
    ['Query', 'before', 1],
    ['Query', 'after', 1],
    ['Publish', 'before', 1],
    ['Publish', 'after', 2],
    ['UpdateItem', 'before', 2],
    ['UpdateItem', 'after', 1],
  ])('crashes at %s, %s it: the notification is sent in this run or the next', async (call, when, sent) => {
    await failOne();
    const first = await pipeline.watchIssues({ crash: { call, when } });
    const second = await pipeline.watchIssues();
    const third = await pipeline.watchIssues();
    expect(first.crashed).toBe(true);
    expect([...first.notices, ...second.notices]).toHaveLength(sent);
    expect(third.notices).toEqual([]);
  });

  test('a notification that fails does not hinder the others, and fails the invocation', async () => {
    await failOne();
    await fail('download', { kind: 'null_order' });
    await addOrder('QO-2');
    await pipeline.drain();
    let publishes = 0;
    const interceptor = <T>(call: string, make: () => Promise<T>): Promise<T> =>
      call === 'Publish' && ++publishes === 1 ? Promise.reject(new Error('refused')) : make();
    await expect(pipeline.watchIssues({ interceptor })).rejects.toThrow('Notifications that could not be sent: 1');
    expect((await pipeline.watchIssues()).notices).toHaveLength(1);
    expect((await pipeline.watchIssues()).notices).toEqual([]);
  });
});

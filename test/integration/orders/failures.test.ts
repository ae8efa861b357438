import type { Fault } from '../../../local/simulators/faults';
import type { WorkerName } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
  await pipeline.post(notification({ order_id: id }));
});
afterEach(() => pipeline.stop());

const fail = (worker: WorkerName, ...faults: readonly Fault[]) =>
  (worker === 'download' ? pipeline.qualia : pipeline.internalApi).setFaults(...faults);
const expectProcessedOnce = async () => {
  const order = await pipeline.orderOf(id);
  expect(order).toMatchObject({ status: 'PROCESSED' });
  expect(order).not.toHaveProperty('error');
  expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
};
const expectFailed = async (code: string, worker: WorkerName) => {
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'FAILED', error: { code, stage: worker } });
  expect(pipeline.metrics.added).toContain('OrderFailed');
  expect(await pipeline.deadLetters('download')).toEqual([]);
  expect(await pipeline.deadLetters('processing')).toEqual([]);
};

describe('temporary faults are retried', () => {
  const temporaryFaults: readonly Fault[] = [
    { kind: 'server_error' },
    { kind: 'rate_limited' },
    { kind: 'hang_up' },
    { kind: 'client_error', status: 408 },
  ];
  const rows = (['download', 'processing'] as const).flatMap((worker) =>
    temporaryFaults.map((fault) => ({ worker, fault, kind: fault.kind })),
  );

  test.each(rows)('$worker: $kind, which ends within one receive', async ({ worker, fault }) => {
    await fail(worker, { ...fault, times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(pipeline.waitsSeconds).toEqual([]);
  });

  test.each(rows)('$worker: $kind, which lasts for four receives', async ({ worker, fault }) => {
    await fail(worker, { ...fault, times: 12 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(await pipeline.orderOf(id)).toMatchObject({ attempts: worker === 'processing' ? 5 : 1 });
    expect(pipeline.waitsSeconds).toHaveLength(4);
    for (const [index, waitSeconds] of pipeline.waitsSeconds.entries()) {
      expect(waitSeconds).toBeLessThanOrEqual(30 * 2 ** index);
      expect(waitSeconds).toBeGreaterThanOrEqual(24 * 2 ** index);
    }
  });

  test.each(['download', 'processing'] as const)('%s: not before the time in Retry-After', async (worker) => {
    await fail(worker, { kind: 'rate_limited', retry_after: 90, times: 1 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(pipeline.waitsSeconds).toEqual([90]);
  });

  test('processing: if the response to a POST is lost, the repeated POST is a duplicate', async () => {
    await fail('processing', { kind: 'lost_answer', times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
    const { posts } = await pipeline.internalApi.postsOf(id);
    expect(posts.map(({ outcome }) => outcome)).toEqual(['taken', 'duplicate', 'duplicate']);
  });

  test('download: a temporary GraphQL error', async () => {
    await fail('download', { kind: 'graphql_error', times: 4 });
    await pipeline.drain();
    await expectProcessedOnce();
  });
});

describe('after all receives have failed', () => {
  test.each(['download', 'processing'] as const)(
    '%s: the order is FAILED, the message is a dead letter, and a redrive resumes the round',
    async (worker) => {
      await fail(worker, { kind: 'server_error' });
      await pipeline.drain();
      expect(await pipeline.orderOf(id)).toMatchObject({
        status: 'FAILED',
        attempts: 5,
        error: { code: 'RETRIES_EXHAUSTED', stage: worker, message: expect.stringContaining('503') },
      });
      expect(await pipeline.deadLetters(worker)).toHaveLength(1);

      await fail(worker);
      await pipeline.redrive(worker);
      await pipeline.drain();
      await expectProcessedOnce();
      expect(await pipeline.deadLetters(worker)).toEqual([]);
    },
  );

  test.each(['download', 'processing'] as const)('%s: a redrive during the same fault fails again', async (worker) => {
    await fail(worker, { kind: 'server_error' });
    await pipeline.drain();
    await pipeline.redrive(worker);
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'RETRIES_EXHAUSTED', stage: worker },
    });
    expect(await pipeline.deadLetters(worker)).toHaveLength(1);
  });

  test.each(['download', 'processing'] as const)(
    '%s: after a new round, the old dead letter has no effect',
    async (worker) => {
      await fail(worker, { kind: 'server_error' });
      await pipeline.drain();
      await fail(worker);
      await pipeline.startRound(id);
      await pipeline.drain();
      await expectProcessedOnce();
      const item = await pipeline.rawItem(id);
      await pipeline.redrive(worker);
      await pipeline.drain();
      expect(await pipeline.rawItem(id)).toBe(item);
    },
  );

  test('a message of an older round does not become a dead letter', async () => {
    await pipeline.startRound(id);
    const messages = await pipeline.receive('download', 10);
    await pipeline.release('download', messages);
    const [first] = messages;
    await fail('download', { kind: 'server_error' });
    await pipeline.drain();
    const letters = await pipeline.deadLetters('download');
    expect(messages).toHaveLength(2);
    expect(letters).toHaveLength(1);
    expect(letters[0]?.Body).not.toBe(first?.Body);
  });
});

describe('permanent faults: the order fails at the first receive, and a new round after the fix succeeds', () => {
  const permanent: readonly { name: string; fault: Fault; worker: WorkerName; code: string }[] = [
    {
      name: 'an order that does not exist in Qualia',
      fault: { kind: 'null_order' },
      worker: 'download',
      code: 'ORDER_NOT_FOUND',
    },
    { name: 'the GraphQL error NOT_FOUND', fault: { kind: 'not_found' }, worker: 'download', code: 'ORDER_NOT_FOUND' },
    {
      name: 'the GraphQL error FORBIDDEN',
      fault: { kind: 'graphql_error', code: 'FORBIDDEN' },
      worker: 'download',
      code: 'GRAPHQL_ERROR',
    },
    { name: 'a 403 of Qualia', fault: { kind: 'client_error', status: 403 }, worker: 'download', code: 'API_REFUSED' },
    {
      name: 'a 422 of the internal API',
      fault: { kind: 'client_error', status: 422 },
      worker: 'processing',
      code: 'API_REFUSED',
    },
  ];
  test.each(permanent)('$name', async ({ fault, worker, code }) => {
    await fail(worker, fault);
    await pipeline.drain();
    await expectFailed(code, worker);
    expect(await pipeline.orderOf(id)).toMatchObject({ attempts: 1 });
    await fail(worker);
    await pipeline.startRound(id);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test('an unknown state: nothing is posted, and the raw payload is kept', async () => {
    await pipeline.qualia.change(id, { properties: [{ city: 'Nowhere', state: 'ZZ' }] });
    await pipeline.drain();
    await expectFailed('UNKNOWN_STATE', 'processing');
    expect((await pipeline.internalApi.postsOf(id)).posts).toEqual([]);
    const failed = await pipeline.orderOf(id);
    if (!('s3_key' in failed) || failed.s3_key === undefined) throw new Error('The order has no payload');
    expect(Buffer.from(await pipeline.payloads.load(failed.s3_key)).toString()).toContain('Nowhere');

    await pipeline.qualia.change(id, { properties: [{ city: 'Fresno', state: 'CA' }] });
    await pipeline.startRound(id);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test("the internal API's error response is stored without our token", async () => {
    await fail('processing', { kind: 'client_error', status: 422, body: 'no product for Bearer internal-token' });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ error: { answer: 'no product for Bearer [token]' } });
  });

  test('a response that stays unreadable is stored unchanged', async () => {
    const body = '<html>\r\n  Ünreadable \0 </html>';
    await fail('download', { kind: 'garbage', body });
    await pipeline.drain();
    await expectFailed('BAD_ANSWER', 'download');
    expect(await pipeline.qualia.calls()).toBe(3);
    const { round } = await pipeline.orderOf(id);
    expect(Buffer.from(await pipeline.payloads.load(`rejected/${id}/${round}.txt`)).toString()).toBe(body);
  });

  test('after two unreadable responses, there is a third attempt', async () => {
    await fail('download', { kind: 'garbage', times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
  });
});

describe('a raw payload that was changed', () => {
  const tamper = async () => {
    await pipeline.deliver('download');
    const order = await pipeline.orderOf(id);
    if (order.status !== 'DOWNLOADED') throw new Error('The order is not downloaded');
    const { s3_key: s3Key } = order;
    const bytes = await pipeline.payloads.load(s3Key);
    await pipeline.overwritePayload(s3Key, Buffer.concat([bytes, Buffer.from(' ')]));
    return { s3Key, bytes };
  };

  test('and is correct at the next receive: the order is processed', async () => {
    const { s3Key, bytes } = await tamper();
    await pipeline.deliver('processing');
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'DOWNLOADED' });
    await pipeline.overwritePayload(s3Key, bytes);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test('and is still wrong at the next receive: the order fails permanently', async () => {
    await tamper();
    await pipeline.deliver('processing');
    await pipeline.deliver('processing');
    await expectFailed('CHECKSUM_MISMATCH', 'processing');
    expect((await pipeline.internalApi.postsOf(id)).posts).toEqual([]);
  });

  test('or deleted: the order fails permanently', async () => {
    const { s3Key } = await tamper();
    await pipeline.deletePayload(s3Key);
    await pipeline.drain();
    await expectFailed('PAYLOAD_MISSING', 'processing');
  });
});

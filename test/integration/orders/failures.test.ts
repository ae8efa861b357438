import type { Fault } from '../../../local/simulators/faults';
import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { type Pipeline, type StageName, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
  await pipeline.post(notification({ order_id: id }));
});
afterEach(() => pipeline.stop());

const fail = (stage: StageName, ...faults: readonly Fault[]) =>
  (stage === 'download' ? pipeline.qualia : pipeline.internalApi).setFaults(...faults);
const expectProcessedOnce = async () => {
  const order = await pipeline.orderOf(id);
  expect(order).toMatchObject({ status: 'PROCESSED' });
  expect(order).not.toHaveProperty('error');
  expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
};
const expectFailed = async (code: string, stage: StageName) => {
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'FAILED', error: { code, stage } });
  expect(pipeline.metrics.added).toContain('OrderFailed');
  expect(await pipeline.deadLetters('download')).toEqual([]);
  expect(await pipeline.deadLetters('processing')).toEqual([]);
};

describe('what passes is tried again', () => {
  const passing: readonly Fault[] = [
    { kind: 'server_error' },
    { kind: 'rate_limited' },
    { kind: 'hang_up' },
    { kind: 'client_error', status: 408 },
  ];
  const rows = (['download', 'processing'] as const).flatMap((stage) =>
    passing.map((fault) => ({ stage, fault, kind: fault.kind })),
  );

  test.each(rows)('$stage: $kind within one receive', async ({ stage, fault }) => {
    await fail(stage, { ...fault, times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(pipeline.waitsSeconds).toEqual([]);
  });

  test.each(rows)('$stage: $kind for four receives', async ({ stage, fault }) => {
    await fail(stage, { ...fault, times: 12 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(await pipeline.orderOf(id)).toMatchObject({ attempts: stage === 'processing' ? 5 : 1 });
    expect(pipeline.waitsSeconds).toHaveLength(4);
    for (const [index, waitSeconds] of pipeline.waitsSeconds.entries()) {
      expect(waitSeconds).toBeLessThanOrEqual(30 * 2 ** index);
      expect(waitSeconds).toBeGreaterThanOrEqual(24 * 2 ** index);
    }
  });

  test.each(['download', 'processing'] as const)('%s: no sooner than Retry-After asks', async (stage) => {
    await fail(stage, { kind: 'rate_limited', retry_after: 90, times: 1 });
    await pipeline.drain();
    await expectProcessedOnce();
    expect(pipeline.waitsSeconds).toEqual([90]);
  });

  test('processing: a post whose answer is lost is known when it is made again', async () => {
    await fail('processing', { kind: 'lost_answer', times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
    const { posts } = await pipeline.internalApi.postsOf(id);
    expect(posts.map(({ outcome }) => outcome)).toEqual(['taken', 'duplicate', 'duplicate']);
  });

  test('download: a passing GraphQL error', async () => {
    await fail('download', { kind: 'graphql_error', times: 4 });
    await pipeline.drain();
    await expectProcessedOnce();
  });
});

describe('when all receives failed', () => {
  test.each(['download', 'processing'] as const)(
    '%s: FAILED, a dead letter, and a redrive resumes it',
    async (stage) => {
      await fail(stage, { kind: 'server_error' });
      await pipeline.drain();
      expect(await pipeline.orderOf(id)).toMatchObject({
        status: 'FAILED',
        attempts: 5,
        error: { code: 'RETRIES_EXHAUSTED', stage, message: expect.stringContaining('503') },
      });
      expect(await pipeline.deadLetters(stage)).toHaveLength(1);

      await fail(stage);
      await pipeline.redrive(stage);
      await pipeline.drain();
      await expectProcessedOnce();
      expect(await pipeline.deadLetters(stage)).toEqual([]);
    },
  );

  test.each(['download', 'processing'] as const)('%s: a redrive into the same trouble fails again', async (stage) => {
    await fail(stage, { kind: 'server_error' });
    await pipeline.drain();
    await pipeline.redrive(stage);
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'FAILED', error: { code: 'RETRIES_EXHAUSTED', stage } });
    expect(await pipeline.deadLetters(stage)).toHaveLength(1);
  });

  test.each(['download', 'processing'] as const)('%s: a new round leaves the dead letter behind', async (stage) => {
    await fail(stage, { kind: 'server_error' });
    await pipeline.drain();
    await fail(stage);
    await pipeline.touch(id);
    await pipeline.drain();
    await expectProcessedOnce();
    const item = await pipeline.rawItem(id);
    await pipeline.redrive(stage);
    await pipeline.drain();
    expect(await pipeline.rawItem(id)).toBe(item);
  });

  test('a message whose round is over is no dead letter', async () => {
    await pipeline.touch(id);
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

describe('what is permanent fails at once, and a new round after the fix succeeds', () => {
  const permanent: readonly { name: string; fault: Fault; stage: StageName; code: string }[] = [
    { name: 'order unknown to Qualia', fault: { kind: 'null_order' }, stage: 'download', code: 'ORDER_NOT_FOUND' },
    { name: 'GraphQL NOT_FOUND', fault: { kind: 'not_found' }, stage: 'download', code: 'ORDER_NOT_FOUND' },
    {
      name: 'GraphQL FORBIDDEN',
      fault: { kind: 'graphql_error', code: 'FORBIDDEN' },
      stage: 'download',
      code: 'GRAPHQL_ERROR',
    },
    { name: '403 of Qualia', fault: { kind: 'client_error', status: 403 }, stage: 'download', code: 'API_REFUSED' },
    {
      name: '422 of the internal API',
      fault: { kind: 'client_error', status: 422 },
      stage: 'processing',
      code: 'API_REFUSED',
    },
  ];
  test.each(permanent)('$name', async ({ fault, stage, code }) => {
    await fail(stage, fault);
    await pipeline.drain();
    await expectFailed(code, stage);
    expect(await pipeline.orderOf(id)).toMatchObject({ attempts: 1 });
    await fail(stage);
    await pipeline.touch(id);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test('an unknown state: nothing is posted, the raw payload stays', async () => {
    await pipeline.qualia.change(id, { properties: [{ city: 'Nowhere', state: 'ZZ' }] });
    await pipeline.drain();
    await expectFailed('UNKNOWN_STATE', 'processing');
    expect((await pipeline.internalApi.postsOf(id)).posts).toEqual([]);
    const failed = await pipeline.orderOf(id);
    if (!('s3_key' in failed) || failed.s3_key === undefined) throw new Error('The payload is not named');
    expect(Buffer.from(await pipeline.payloads.load(failed.s3_key)).toString()).toContain('Nowhere');

    await pipeline.qualia.change(id, { properties: [{ city: 'Fresno', state: 'CA' }] });
    await pipeline.touch(id);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test('what the internal API said is kept, without our token', async () => {
    await fail('processing', { kind: 'client_error', status: 422, body: 'no product for Bearer internal-token' });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ error: { answer: 'no product for Bearer [token]' } });
  });

  test('an answer that stays unreadable is kept as it came', async () => {
    const body = '<html>\r\n  Ünreadable \0 </html>';
    await fail('download', { kind: 'garbage', body });
    await pipeline.drain();
    await expectFailed('BAD_ANSWER', 'download');
    expect(await pipeline.qualia.calls()).toBe(3);
    const { round } = await pipeline.orderOf(id);
    expect(Buffer.from(await pipeline.payloads.load(`rejected/${id}/${round}.txt`)).toString()).toBe(body);
  });

  test('an answer that is unreadable twice is worth a third try', async () => {
    await fail('download', { kind: 'garbage', times: 2 });
    await pipeline.drain();
    await expectProcessedOnce();
  });
});

describe('a raw payload that is not what was stored', () => {
  const tamper = async () => {
    await pipeline.deliver('download');
    const order = await pipeline.orderOf(id);
    if (order.status !== 'DOWNLOADED') throw new Error('The order is not downloaded');
    const { s3_key: s3Key } = order;
    const bytes = await pipeline.payloads.load(s3Key);
    await pipeline.overwritePayload(s3Key, Buffer.concat([bytes, Buffer.from(' ')]));
    return { s3Key, bytes };
  };

  test('once: tried again', async () => {
    const { s3Key, bytes } = await tamper();
    await pipeline.deliver('processing');
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'DOWNLOADED' });
    await pipeline.overwritePayload(s3Key, bytes);
    await pipeline.drain();
    await expectProcessedOnce();
  });

  test('twice: failed for good', async () => {
    await tamper();
    await pipeline.deliver('processing');
    await pipeline.deliver('processing');
    await expectFailed('CHECKSUM_MISMATCH', 'processing');
    expect((await pipeline.internalApi.postsOf(id)).posts).toEqual([]);
  });

  test('not there at all: failed for good', async () => {
    const { s3Key } = await tamper();
    await pipeline.deletePayload(s3Key);
    await pipeline.drain();
    await expectFailed('PAYLOAD_MISSING', 'processing');
  });
});

import type { WriteOutcome } from '../../../../shared/orders/repository';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { checksum, orders, processingMessage, round } from '../../../support/orders';
import {
  handleMessage,
  identity,
  keyOf,
  type MessageDoubles,
  nowMs,
  ok,
  type PostOrder,
  posted,
  superseded,
  writing,
} from '../../../support/processing-handler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());
const handle = (doubles: MessageDoubles) => handleMessage(logs, doubles);
const token = expect.stringMatching(/^[0-9a-f]{12}$/);

describe('an older round does not overtake a newer one', () => {
  const newer = round(1_767_225_600_001);

  test('each attempt after the first reads the order, and none is made after the round has ended', async () => {
    const reads = [orders.downloaded(), orders.notified({ round: newer })];
    const requestRepost = writing();
    const postOrder = posted('posted', 2);
    const result = await handle({ postOrder, repository: { read: async () => reads.shift(), requestRepost } });
    expect(reads).toEqual([]);
    await expect(postOrder.mock.results[0]?.value).rejects.toThrow('The round is over');
    expect(result).toMatchObject({ returned: 0, added: [], lines: [superseded] });
  });

  test('a POST whose result the order rejects makes the newest round post', async () => {
    const requestRepost = writing();
    const recordProcessing = writing({ applied: false, order: orders.downloaded({ round: newer }) });
    const repository = { recordProcessing, requestRepost };
    const result = await handle({ current: orders.downloaded(), postOrder: posted(), repository });
    expect(requestRepost.mock.calls).toEqual([['QO-123456', newer, token]]);
    expect(result).toMatchObject({ returned: 0, added: [], lines: [superseded] });
  });

  test('if the newest round is already PROCESSED, its payload is posted in a further round', async () => {
    const processed = orders.processed({ round: newer, download_started_at: '2026-01-01T00:00:00.500Z' });
    const send = jest.fn(ok);
    const startRound = writing();
    const recordProcessing = writing({ applied: false, order: processed });
    await handle({
      current: orders.downloaded(),
      postOrder: posted(),
      send,
      repository: { recordProcessing, startRound },
    });
    const download = expect.objectContaining({
      s3Key: processingMessage().s3_key,
      startedAtMs: Date.UTC(2026, 0, 1, 0, 0, 0, 500),
    });
    expect(startRound.mock.calls).toEqual([
      [
        expect.objectContaining({
          orderId: 'QO-123456',
          notificationType: 'overtaken',
          force: true,
          after: newer,
          download,
        }),
      ],
    ]);
    expect(send).toHaveBeenCalledTimes(1);
  });

  test('if the further round is still DOWNLOADED, its message is sent again, because it may be missing', async () => {
    const further = orders.downloaded({ round: newer, notification_type: 'overtaken' });
    const send = jest.fn(ok);
    await handle({ receiveCount: 2, current: further, send, repository: { requestRepost: writing() } });
    expect(send.mock.calls).toEqual([[processingMessage({ round: newer, retried: true, sent_at: nowMs })]]);
  });

  test('an order whose item cannot be read is posted again too', async () => {
    const outcomes: WriteOutcome[] = [{ applied: false, order: undefined, unreadableRound: newer }, { applied: true }];
    const requestRepost = jest.fn(async () => outcomes.shift() ?? { applied: true as const });
    const recordProcessing = writing({ applied: false, order: undefined, unreadableRound: newer });
    const repository = { recordProcessing, requestRepost };
    await handle({ current: orders.downloaded(), postOrder: posted(), repository });
    expect(requestRepost.mock.calls).toEqual([
      ['QO-123456', newer, token],
      ['QO-123456', newer, token],
    ]);
  });

  test('a round that begins meanwhile is not superseded, and is made to post', async () => {
    const processed = orders.processed({ round: newer });
    const newest = orders.notified({ round: round(1_767_225_600_002) });
    const reads = [orders.downloaded(), newest];
    const requestRepost = writing();
    const send = jest.fn(ok);
    await handle({
      postOrder: posted(),
      send,
      repository: {
        read: async () => reads.shift(),
        recordProcessing: writing({ applied: false, order: processed }),
        startRound: writing({ applied: false, order: newest }),
        requestRepost,
      },
    });
    expect(requestRepost.mock.calls).toEqual([['QO-123456', newest.round, token]]);
    expect(send).not.toHaveBeenCalled();
  });

  test.each([
    ['received again', { receiveCount: 2 }],
    ['copied', { retried: true }],
    ['redriven', { sentAtMs: 0 }],
  ])('a message that was %s may have posted before, so the newest round is made to post', async (_, delivery) => {
    const requestRepost = writing();
    await handle({ ...delivery, current: orders.notified({ round: newer }), repository: { requestRepost } });
    expect(requestRepost.mock.calls).toEqual([['QO-123456', newer, token]]);
  });

  test('a redriven message whose failure was recorded needs no repost, because the next round posted regardless', async () => {
    const current = orders.processed({ round: newer, previous_status: 'FAILED' });
    expect(await handle({ sentAtMs: 0, current })).toMatchObject({ returned: 0, lines: [superseded] });
  });

  test('if another round begins while the repost is requested, the repost is requested for that round', async () => {
    const newest = round(1_767_225_600_002);
    const outcomes: WriteOutcome[] = [{ applied: false, order: orders.notified({ round: newest }) }, { applied: true }];
    const requestRepost = jest.fn(async () => outcomes.shift() ?? { applied: true as const });
    const current = orders.notified({ round: newer });
    await handle({ receiveCount: 2, current, repository: { requestRepost } });
    expect(requestRepost.mock.calls).toEqual([
      ['QO-123456', newer, token],
      ['QO-123456', newest, token],
    ]);
  });
});

test('an order that is overtaken while it is posted is posted again with another key', async () => {
  const reads = [orders.downloaded(), orders.downloaded({ repost: round(1) })];
  const writes: WriteOutcome[] = [
    { applied: false, order: orders.downloaded({ repost: round(1) }) },
    { applied: true },
  ];
  const recordProcessing = jest.fn(async () => writes.shift() ?? { applied: true as const });
  const postOrder = posted();
  const result = await handle({ postOrder, repository: { read: async () => reads.shift(), recordProcessing } });
  expect(postOrder.mock.calls.map(([{ idempotencyKey }]) => idempotencyKey)).toEqual([keyOf(), keyOf(round(1))]);
  expect(result).toMatchObject({ returned: 0, added: ['OrderProcessed', 'EndToEndLatency'] });
});

describe('a key that the internal API knows', () => {
  const other = {
    occurred_at: '2026-01-01T00:00:00Z',
    processed_checksum: checksum('another'),
    previous_status: 'PROCESSED',
  };
  const repository = () => ({ recordProcessing: writing() });

  test.each([
    ['of a message that was received before', { receiveCount: 2, current: orders.downloaded(other) }],
    ['of a message that was copied', { retried: true, current: orders.downloaded(other) }],
    ['of a message that was redriven', { sentAtMs: 0, current: orders.downloaded(other) }],
    [
      'of a round that is not derived from a notification',
      { current: orders.downloaded({ ...other, occurred_at: undefined }) },
    ],
    ['of a requested repost', { current: orders.downloaded({ ...other, repost: 'token' }) }],
    ['of an order that has no other recorded body', { current: orders.downloaded() }],
  ])('%s is a success', async (_, doubles) => {
    const result = await handle({ ...doubles, postOrder: posted('already_known'), repository: repository() });
    expect(result.lines).toEqual([expect.objectContaining({ status: 'PROCESSED', outcome: 'already_known' })]);
  });

  test('after a lost response within the same call is a success', async () => {
    const postOrder = posted('already_known', 2);
    const result = await handle({ current: orders.downloaded(other), postOrder, repository: repository() });
    expect(result.added).toContain('OrderProcessed');
  });

  test('after a call that failed because the token was rotated is a success', async () => {
    const respond409 = posted('already_known', 1);
    const postOrder: PostOrder = async (post, context) => {
      await post.beforeAttempt?.();
      return respond409(post, context);
    };
    const result = await handle({ current: orders.downloaded(other), postOrder, repository: repository() });
    expect(result.added).toContain('OrderProcessed');
  });

  test('that this round has not used is reported, and the order is posted with another key', async () => {
    const reads = [
      orders.downloaded(other),
      orders.downloaded(other),
      orders.downloaded({ ...other, repost: 'token' }),
    ];
    const requestRepost = writing();
    const outcomes: ('already_known' | 'posted')[] = ['already_known', 'posted'];
    const postOrder = jest.fn<ReturnType<PostOrder>, Parameters<PostOrder>>(async ({ beforeAttempt }) => {
      await beforeAttempt?.();
      const outcome = outcomes.shift() ?? 'posted';
      return { outcome, statusCode: 201, responseTimeMs: 40 };
    });
    const doubles = { read: async () => reads.shift(), requestRepost, ...repository() };
    const result = await handle({ postOrder, sleep: ok, repository: doubles });
    expect(requestRepost.mock.calls).toEqual([['QO-123456', round(), token]]);
    expect(postOrder.mock.calls.map(([{ idempotencyKey }]) => idempotencyKey)).toEqual([keyOf(), keyOf('token')]);
    expect(result.added).toEqual(['IdempotencyConflict', 'OrderProcessed', 'EndToEndLatency']);
    expect(result.lines[0]).toEqual({
      level: 'WARN',
      message: 'idempotency key is known to the internal API but not recorded here',
      ...identity,
    });
  });

  test('that a duplicate of the message has recorded meanwhile needs no further action', async () => {
    const reads = [orders.downloaded(other), orders.processed()];
    const doubles = { read: async () => reads.shift() };
    const result = await handle({ postOrder: posted('already_known'), sleep: ok, repository: doubles });
    expect(result).toMatchObject({ returned: 0, added: [], lines: [superseded] });
  });
});

import type { DownloadMessage } from '../../../../shared/orders/message';
import type { RoundStart, WriteOutcome } from '../../../../shared/orders/repository';
import { createRoundStarter } from '../../../../shared/orders/start-round';
import { orderId, orders, requestId, round } from '../../../support/orders';

const nowMs = Date.parse('2026-03-01T00:00:00Z');
const eventMs = Date.parse('2026-02-01T00:00:00Z');
const applied: WriteOutcome = { applied: true };
const refused = (order: ReturnType<typeof orders.notified> | undefined): WriteOutcome => ({ applied: false, order });

type Answer = WriteOutcome | Error | ((start: RoundStart) => WriteOutcome);

const start = (answers: readonly Answer[], enqueue: () => unknown = () => undefined) => {
  const left = [...answers];
  const writes: RoundStart[] = [];
  const sent: { message: DownloadMessage; delaySeconds: number | undefined }[] = [];
  const startRound = createRoundStarter({
    repository: {
      startRound: async (write) => {
        writes.push(write);
        const answer = left.shift();
        if (answer === undefined) throw new Error('startRound was not told what to answer');
        if (answer instanceof Error) throw answer;
        return typeof answer === 'function' ? answer(write) : answer;
      },
    },
    downloadQueue: {
      send: async (message, delaySeconds) => {
        enqueue();
        sent.push({ message, delaySeconds });
      },
    },
    now: () => nowMs,
  });
  return { startRound, writes, sent };
};

const notification = {
  orderId: orderId(),
  requestId: requestId('request-new'),
  notificationType: 'order.updated',
  occurredAtMs: eventMs,
};
const activity = { ...notification, notificationType: 'message', occurredAtMs: undefined };
const messageOf = (inRound: string, by = 'request-new') => ({
  message: { order_id: 'QO-123456', round: inRound, request_id: by },
  delaySeconds: undefined,
});

describe('a notification', () => {
  test('begins its round, and then sends its message', async () => {
    const { startRound, writes, sent } = start([applied]);
    expect(await startRound(notification)).toBe('queued');
    expect(writes).toEqual([{ ...notification, round: round(eventMs), notifiedAtMs: nowMs }]);
    expect(sent).toEqual([messageOf(round(eventMs))]);
  });

  test('told again while still NOTIFIED is enqueued again, by the request that was first', async () => {
    const first = orders.notified({ round: round(eventMs), request_id: requestId('request-first') });
    const { startRound, sent } = start([refused(first)]);
    expect(await startRound(notification)).toBe('duplicate');
    expect(sent).toEqual([messageOf(round(eventMs), 'request-first')]);
  });

  test.each([
    ['DOWNLOADED', orders.downloaded({ round: round(eventMs) })],
    ['PROCESSED', orders.processed({ round: round(eventMs) })],
    ['FAILED', orders.failed('UNKNOWN_STATE', { round: round(eventMs) })],
  ])('told again once %s is a duplicate, and nothing more', async (_, order) => {
    const { startRound, sent } = start([refused(order)]);
    expect(await startRound(notification)).toBe('duplicate');
    expect(sent).toEqual([]);
  });

  test('that is older than the newest is stale', async () => {
    const { startRound, sent } = start([refused(orders.notified({ round: round(eventMs + 1) }))]);
    expect(await startRound(notification)).toBe('stale');
    expect(sent).toEqual([]);
  });
});

describe('a notification of an event to come', () => {
  const dayMs = 24 * 3_600_000;

  test('is believed for a day', async () => {
    const { startRound, writes } = start([applied]);
    expect(await startRound({ ...notification, occurredAtMs: nowMs + dayMs })).toBe('queued');
    expect(writes[0]?.round).toBe(round(nowMs + dayMs));
  });

  test('later than that begins a round of its arrival, so that no later one is stale', async () => {
    const { startRound, writes } = start([applied, applied]);
    const atTheEndOfTime = Date.parse('9999-12-31T23:59:59Z');
    expect(await startRound({ ...notification, occurredAtMs: atTheEndOfTime })).toBe('queued');
    const [{ round: begun = '' } = {}] = writes;
    expect(begun.slice(0, 15)).toBe(String(nowMs).padStart(15, '0'));
    expect(await startRound({ ...notification, occurredAtMs: nowMs + 1 })).toBe('queued');
    expect((writes[1]?.round ?? '') > begun).toBe(true);
  });
});

describe('an activity', () => {
  test('begins a round of its own at its arrival', async () => {
    const { startRound, writes, sent } = start([applied]);
    expect(await startRound(activity)).toBe('queued');
    expect(writes).toHaveLength(1);
    expect(writes[0]?.round).toMatch(new RegExp(`^${String(nowMs).padStart(15, '0')}-[0-9a-f]{12}$`));
    expect(sent).toEqual([messageOf(writes[0]?.round ?? '')]);
  });

  test('that meets a newer round begins one newer still', async () => {
    const newest = round(nowMs + 5_000);
    const { startRound, writes, sent } = start([refused(orders.downloaded({ round: newest })), applied]);
    expect(await startRound(activity)).toBe('queued');
    expect(writes).toHaveLength(2);
    expect((writes[1]?.round ?? '') > newest).toBe(true);
    expect(sent).toEqual([messageOf(writes[1]?.round ?? '')]);
  });

  test('whose write was made, and its answer lost, is enqueued', async () => {
    const { startRound, writes, sent } = start([({ round }) => refused(orders.notified({ round }))]);
    expect(await startRound(activity)).toBe('queued');
    expect(sent).toEqual([messageOf(writes[0]?.round ?? '')]);
  });

  test('gives up after five races, and leaves the rest to the retry', async () => {
    const newer = () => refused(orders.notified({ round: round(nowMs + 60_000) }));
    const { startRound, writes, sent } = start([newer, newer, newer, newer, newer]);
    await expect(startRound(activity)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(writes).toHaveLength(5);
    expect(sent).toEqual([]);
  });
});

describe.each([
  ['a notification', notification],
  ['an activity', activity],
])('%s', (_, request) => {
  test('whose message cannot be sent fails, so that its sender tries again', async () => {
    const fault = new Error('SQS is down');
    const { startRound } = start([applied], () => {
      throw fault;
    });
    await expect(startRound(request)).rejects.toBe(fault);
  });

  test('whose item cannot be written sends nothing', async () => {
    const fault = new Error('DynamoDB is down');
    const { startRound, sent } = start([fault]);
    await expect(startRound(request)).rejects.toBe(fault);
    expect(sent).toEqual([]);
  });

  test('whose order vanished meanwhile fails, and may pass later', async () => {
    const { startRound, sent } = start([refused(undefined)]);
    await expect(startRound(request)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(sent).toEqual([]);
  });
});

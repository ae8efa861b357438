import fc from 'fast-check';
import type { DownloadMessage } from '../../../../shared/orders/message';
import type { Order } from '../../../../shared/orders/order';
import type { RoundStart, WriteOutcome } from '../../../../shared/orders/repository';
import { roundOfEvent } from '../../../../shared/orders/round';
import { createRoundStarter, maxAheadMs } from '../../../../shared/orders/start-round';
import type { Instant } from '../../../../shared/time';
import { orderId, orders, requestId, round } from '../../../support/orders';

const nowMs = Date.parse('2026-03-01T00:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();
const instant = (ms: number, precisionMs = 1): Instant => ({ ms, subMsDigits: '', precisionMs });
const event = instant(Date.parse('2026-02-01T00:00:00Z'));
const eventRound = roundOfEvent(event, 'order.updated');

const applied: WriteOutcome = { applied: true };
const rejected = (order: Order | undefined): WriteOutcome => ({ applied: false, order });

type ScriptedOutcome = WriteOutcome | Error | ((start: RoundStart) => WriteOutcome);

/** A repository whose writes have these outcomes, in order; it records the writes. */
const repositoryOf = (outcomes: readonly ScriptedOutcome[]) => {
  const remaining = [...outcomes];
  const writes: RoundStart[] = [];
  const startRound = async (write: RoundStart): Promise<WriteOutcome> => {
    writes.push(write);
    const outcome = remaining.shift();
    if (outcome === undefined) throw new Error('startRound has no scripted outcome left');
    if (outcome instanceof Error) throw outcome;
    return typeof outcome === 'function' ? outcome(write) : outcome;
  };
  return { startRound, writes };
};

const start = (outcomes: readonly ScriptedOutcome[], send: () => unknown = () => undefined) => {
  const { startRound, writes } = repositoryOf(outcomes);
  const sent: DownloadMessage[] = [];
  const starter = createRoundStarter({
    repository: { startRound },
    downloadQueue: {
      send: async (message) => {
        send();
        sent.push(message);
      },
    },
    now: () => nowMs,
  });
  return { startRound: starter, writes, sent };
};

const notification = {
  orderId: orderId(),
  requestId: requestId('request-new'),
  notificationType: 'order.updated',
  occurredAt: event,
};
const activity = { ...notification, notificationType: 'message', occurredAt: undefined };
const messageOf = (messageRound: string | undefined, messageRequestId = 'request-new') => ({
  order_id: 'QO-123456',
  round: messageRound,
  request_id: messageRequestId,
});
const sameRound = { round: eventRound, notification_type: 'order.updated', occurred_at: '2026-02-01T00:00:00.000Z' };

describe('a notification', () => {
  test('starts its round, then sends its message', async () => {
    const { startRound, writes, sent } = start([applied]);
    expect(await startRound(notification)).toEqual({ outcome: 'queued', round: eventRound, status: 'NOTIFIED' });
    expect(writes).toEqual([
      {
        orderId: 'QO-123456',
        requestId: 'request-new',
        notificationType: 'order.updated',
        round: eventRound,
        occurredAt: '2026-02-01T00:00:00.000Z',
        notifiedAtMs: nowMs,
      },
    ]);
    expect(sent).toEqual([messageOf(eventRound)]);
  });

  test('that is repeated while the order is NOTIFIED is enqueued again with the first request id', async () => {
    const first = orders.notified({ ...sameRound, request_id: requestId('request-first') });
    const { startRound, sent } = start([rejected(first)]);
    expect(await startRound(notification)).toEqual({ outcome: 'duplicate', round: eventRound, status: 'NOTIFIED' });
    expect(sent).toEqual([messageOf(eventRound, 'request-first')]);
  });

  test.each([
    ['DOWNLOADED', orders.downloaded(sameRound)],
    ['PROCESSED', orders.processed(sameRound)],
    ['FAILED', orders.failed('UNKNOWN_STATE', sameRound)],
  ] as const)('that is repeated when the order is %s is a duplicate and sends nothing', async (status, order) => {
    const { startRound, sent } = start([rejected(order)]);
    expect(await startRound(notification)).toEqual({ outcome: 'duplicate', round: eventRound, status });
    expect(sent).toEqual([]);
  });

  test('of another type at the same time starts a newer round', async () => {
    const created = orders.notified({
      ...sameRound,
      round: round(event.ms, 'ffffffffffff'),
      notification_type: 'order.created',
      notified_at: iso(event.ms),
    });
    const { startRound, writes, sent } = start([rejected(created), applied]);
    expect(await startRound(notification)).toMatchObject({ outcome: 'queued' });
    expect(writes[1]).toMatchObject({ occurredAt: '2026-02-01T00:00:00.000Z', notificationType: 'order.updated' });
    expect((writes[1]?.round ?? '') > created.round).toBe(true);
    expect(sent).toEqual([messageOf(writes[1]?.round)]);
  });

  test('whose order has an unreadable item starts a newer round, which replaces the item', async () => {
    const unreadable: WriteOutcome = { applied: false, order: undefined, unreadableRound: round(event.ms + 10) };
    const { startRound, writes } = start([unreadable, applied]);
    expect(await startRound(notification)).toMatchObject({ outcome: 'queued' });
    expect((writes[1]?.round ?? '') > round(event.ms + 10)).toBe(true);
  });
});

describe('an event older than the newest round', () => {
  const newest = round(event.ms + 60_000, 'abcdefabcdef');
  const began = (ms: number) => ({ round: newest, download_started_at: iso(ms) });

  test.each([
    ['milliseconds', instant(event.ms), 2_001],
    ['seconds', instant(event.ms, 1_000), 3_000],
    ['minutes', instant(event.ms, 60_000), 62_000],
  ])(
    'with a precision of %s is stale only if the download began after its time, precision and clock tolerance',
    async (_, occurredAt, marginMs) => {
      const covered = orders.processed(began(event.ms + marginMs + 1));
      const stale = start([rejected(covered)]);
      expect(await stale.startRound({ ...notification, occurredAt })).toEqual({
        outcome: 'stale',
        round: newest,
        status: 'PROCESSED',
      });
      expect(stale.sent).toEqual([]);

      const uncovered = start([rejected(orders.processed(began(event.ms + marginMs))), applied]);
      expect(await uncovered.startRound({ ...notification, occurredAt })).toMatchObject({ outcome: 'queued' });
      expect((uncovered.writes[1]?.round ?? '') > newest).toBe(true);
    },
  );

  test('is stale while the newest round waits for its download, if that round was notified long enough after the event', async () => {
    const waiting = orders.notified({ round: newest, notified_at: iso(event.ms + 60_000) });
    expect(await start([rejected(waiting)]).startRound(notification)).toMatchObject({ outcome: 'stale' });
    const tooEarly = orders.notified({ round: newest, notified_at: iso(event.ms + 1_000) });
    expect(await start([rejected(tooEarly), applied]).startRound(notification)).toMatchObject({ outcome: 'queued' });
  });

  test('that a NOTIFIED round covers enqueues that round again, whose first message might never have been sent', async () => {
    const waiting = orders.notified({
      round: newest,
      notified_at: iso(event.ms + 60_000),
      notification_type: 'replay',
      request_id: requestId('request-first'),
    });
    const { startRound, sent } = start([rejected(waiting)]);
    expect(await startRound(notification)).toMatchObject({ outcome: 'stale' });
    expect(sent).toEqual([{ ...messageOf(newest, 'request-first'), started_by: 'replay' }]);
  });

  test.each([
    ['failed before its download', orders.failed('ORDER_NOT_FOUND', { round: newest })],
    ['was processed from stored bytes', orders.processed({ round: newest })],
  ])('starts a round if the newest one %s', async (_, order) => {
    expect(await start([rejected(order), applied]).startRound(notification)).toMatchObject({ outcome: 'queued' });
  });
});

test('a repeated event with a timestamp in whole seconds is a duplicate only if the download began after that second', async () => {
  const coarse = { ...notification, occurredAt: instant(event.ms, 1_000) };
  const inRound = { ...sameRound, occurred_at: '2026-02-01T00:00:00Z' };
  const early = orders.processed({ ...inRound, download_started_at: iso(event.ms + 500) });
  expect(await start([rejected(early), applied]).startRound(coarse)).toMatchObject({ outcome: 'queued' });
  const late = orders.processed({ ...inRound, download_started_at: iso(event.ms + 3_001) });
  expect(await start([rejected(late)]).startRound(coarse)).toMatchObject({ outcome: 'duplicate' });
});

test('property: if an event is ignored, the newest download began after it, with any precision of its timestamp', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 120_000 }),
      fc.integer({ min: 0, max: 120_000 }),
      fc.constantFrom(1, 1_000, 60_000),
      fc.integer({ min: -2_000, max: 2_000 }),
      async (happenedAfterMs, downloadAfterMs, precisionMs, clockErrorMs) => {
        const happenedMs = event.ms + happenedAfterMs;
        // The sender truncates the time of its own clock.
        const reportedMs = Math.floor((happenedMs + clockErrorMs) / precisionMs) * precisionMs;
        const newest = orders.downloaded({
          round: round(event.ms + 500_000),
          download_started_at: iso(event.ms + downloadAfterMs),
        });
        const { startRound } = start([rejected(newest), applied]);
        const { outcome } = await startRound({ ...notification, occurredAt: instant(reportedMs, precisionMs) });
        return outcome === 'queued' || event.ms + downloadAfterMs > happenedMs;
      },
    ),
  );
});

describe('an event ahead of our clock', () => {
  test('keeps its time if it is at most five minutes ahead', async () => {
    const occurredAt = instant(nowMs + maxAheadMs);
    const { startRound, writes } = start([applied]);
    expect(await startRound({ ...notification, occurredAt })).toMatchObject({ outcome: 'queued' });
    expect(writes[0]?.round).toBe(roundOfEvent(occurredAt, 'order.updated'));
  });

  test('that is further ahead gets a round timed by its arrival, so that it does not suppress later events', async () => {
    const { startRound, writes } = start([applied, applied]);
    await startRound({ ...notification, occurredAt: instant(Date.parse('9999-12-31T23:59:59Z')) });
    const [{ round: begun = '' } = {}] = writes;
    expect(begun.slice(0, 15)).toBe(String(nowMs).padStart(15, '0'));
    await startRound({ ...notification, occurredAt: instant(nowMs + 1) });
    expect((writes[1]?.round ?? '') > begun).toBe(true);
  });
});

describe('an activity', () => {
  test('starts a round timed by its arrival', async () => {
    const { startRound, writes, sent } = start([applied]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued', status: 'NOTIFIED' });
    expect(writes).toHaveLength(1);
    expect(writes[0]?.round).toMatch(new RegExp(`^${String(nowMs).padStart(15, '0')}-[0-9a-f]{12}$`));
    expect(sent).toEqual([messageOf(writes[0]?.round)]);
  });

  test('starts an even newer round if the order has a newer one', async () => {
    const newest = round(nowMs + 5_000);
    const { startRound, writes, sent } = start([rejected(orders.downloaded({ round: newest })), applied]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued' });
    expect((writes[1]?.round ?? '') > newest).toBe(true);
    expect(sent).toEqual([messageOf(writes[1]?.round)]);
  });

  test('is enqueued if its write was applied but the response was lost', async () => {
    const { startRound, writes, sent } = start([({ round: own }) => rejected(orders.notified({ round: own }))]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued' });
    expect(sent).toEqual([messageOf(writes[0]?.round)]);
  });

  test('fails with a retryable error after losing five races', async () => {
    const newer = () => rejected(orders.notified({ round: round(nowMs + 60_000) }));
    const { startRound, writes, sent } = start([newer, newer, newer, newer, newer]);
    await expect(startRound(activity)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(writes).toHaveLength(5);
    expect(sent).toEqual([]);
  });

  test('passes force and the time of the first notification to the repository', async () => {
    const { startRound, writes } = start([applied]);
    await startRound({ ...activity, force: true, notifiedAtMs: nowMs - 5 });
    expect(writes).toEqual([expect.objectContaining({ force: true, notifiedAtMs: nowMs - 5 })]);
  });
});

describe.each([
  ['a notification', notification],
  ['an activity', activity],
])('%s', (_, request) => {
  test('whose message cannot be sent fails, so that the sender retries', async () => {
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

  test('whose order disappears between two writes fails with a retryable error', async () => {
    const { startRound, sent } = start([rejected(undefined), rejected(undefined)]);
    await expect(startRound(request)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(sent).toEqual([]);
  });
});

describe('a request for an order in a given round', () => {
  const after = round(nowMs + 60_000);

  test('starts a newer round if the order is still in that one', async () => {
    const { startRound, writes, sent } = start([applied]);
    const started = await startRound({ ...activity, after, notifiedAtMs: 5 });
    expect(started).toMatchObject({ outcome: 'queued', status: 'NOTIFIED' });
    expect(started.round > after).toBe(true);
    expect(writes).toEqual([expect.objectContaining({ round: started.round, after, notifiedAtMs: 5 })]);
    expect(sent).toEqual([messageOf(started.round)]);
  });

  test('is stale if a newer round has started, and sends nothing', async () => {
    const newer = orders.downloaded({ round: round(nowMs + 90_000) });
    const { startRound, writes, sent } = start([rejected(newer)]);
    expect(await startRound({ ...activity, after })).toEqual({
      outcome: 'stale',
      round: newer.round,
      status: 'DOWNLOADED',
    });
    expect({ writes: writes.length, sent }).toEqual({ writes: 1, sent: [] });
  });
});

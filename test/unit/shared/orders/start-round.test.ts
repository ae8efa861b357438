import fc from 'fast-check';
import type { DownloadMessage, ProcessingMessage } from '../../../../shared/orders/message';
import type { Order } from '../../../../shared/orders/order';
import type { RoundStart, WriteOutcome } from '../../../../shared/orders/repository';
import { roundOfEvent } from '../../../../shared/orders/round';
import { createRoundStarter, createStoredRoundStarter, maxAheadMs } from '../../../../shared/orders/start-round';
import type { Instant } from '../../../../shared/time';
import { checksum, orderId, orders, requestId, round } from '../../../support/orders';

const nowMs = Date.parse('2026-03-01T00:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();
const instant = (ms: number, precisionMs = 1): Instant => ({ ms, subMsDigits: '', precisionMs });
const event = instant(Date.parse('2026-02-01T00:00:00Z'));
const eventRound = roundOfEvent(event, 'order.updated');

const applied: WriteOutcome = { applied: true };
const rejected = (order: Order | undefined): WriteOutcome => ({ applied: false, order });

type Answer = WriteOutcome | Error | ((start: RoundStart) => WriteOutcome);

/** A repository that gives these answers in turn, and records what it was asked. */
const repositoryOf = (answers: readonly Answer[]) => {
  const left = [...answers];
  const writes: RoundStart[] = [];
  const startRound = async (write: RoundStart): Promise<WriteOutcome> => {
    writes.push(write);
    const answer = left.shift();
    if (answer === undefined) throw new Error('startRound has no answer left');
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(write) : answer;
  };
  return { startRound, writes };
};

const start = (answers: readonly Answer[], send: () => unknown = () => undefined) => {
  const { startRound, writes } = repositoryOf(answers);
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
const messageOf = (inRound: string | undefined, by = 'request-new') => ({
  order_id: 'QO-123456',
  round: inRound,
  request_id: by,
});
const same = { round: eventRound, notification_type: 'order.updated', occurred_at: '2026-02-01T00:00:00.000Z' };

describe('a notification', () => {
  test('begins its round, then sends its message', async () => {
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

  test('repeated while still NOTIFIED is enqueued again under the first request', async () => {
    const first = orders.notified({ ...same, request_id: requestId('request-first') });
    const { startRound, sent } = start([rejected(first)]);
    expect(await startRound(notification)).toEqual({ outcome: 'duplicate', round: eventRound, status: 'NOTIFIED' });
    expect(sent).toEqual([messageOf(eventRound, 'request-first')]);
  });

  test.each([
    ['DOWNLOADED', orders.downloaded(same)],
    ['PROCESSED', orders.processed(same)],
    ['FAILED', orders.failed('UNKNOWN_STATE', same)],
  ] as const)('repeated once %s is a duplicate and sends nothing', async (status, order) => {
    const { startRound, sent } = start([rejected(order)]);
    expect(await startRound(notification)).toEqual({ outcome: 'duplicate', round: eventRound, status });
    expect(sent).toEqual([]);
  });

  test('of another type at the same time is another event', async () => {
    const created = orders.notified({
      ...same,
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

  test('whose item cannot be read begins a newer round, which repairs the item', async () => {
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
    'with a precision of %s is stale only if the download began later than it and the clock tolerance',
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

  test('is stale while the newest round waits for its download, if it was notified late enough', async () => {
    const waiting = orders.notified({ round: newest, notified_at: iso(event.ms + 60_000) });
    expect(await start([rejected(waiting)]).startRound(notification)).toMatchObject({ outcome: 'stale' });
    const tooEarly = orders.notified({ round: newest, notified_at: iso(event.ms + 1_000) });
    expect(await start([rejected(tooEarly), applied]).startRound(notification)).toMatchObject({ outcome: 'queued' });
  });

  test.each([
    ['failed before its download', orders.failed('ORDER_NOT_FOUND', { round: newest })],
    ['was processed from stored bytes', orders.processed({ round: newest })],
  ])('begins a round when the newest one %s', async (_, order) => {
    expect(await start([rejected(order), applied]).startRound(notification)).toMatchObject({ outcome: 'queued' });
  });
});

test('a repeated timestamp without a fraction is a duplicate only once the download covers the whole second', async () => {
  const coarse = { ...notification, occurredAt: instant(event.ms, 1_000) };
  const inRound = { ...same, occurred_at: '2026-02-01T00:00:00Z' };
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
  test('keeps its time for five minutes', async () => {
    const occurredAt = instant(nowMs + maxAheadMs);
    const { startRound, writes } = start([applied]);
    expect(await startRound({ ...notification, occurredAt })).toMatchObject({ outcome: 'queued' });
    expect(writes[0]?.round).toBe(roundOfEvent(occurredAt, 'order.updated'));
  });

  test('further ahead gets a round of its arrival, so that it suppresses no later event', async () => {
    const { startRound, writes } = start([applied, applied]);
    await startRound({ ...notification, occurredAt: instant(Date.parse('9999-12-31T23:59:59Z')) });
    const [{ round: begun = '' } = {}] = writes;
    expect(begun.slice(0, 15)).toBe(String(nowMs).padStart(15, '0'));
    await startRound({ ...notification, occurredAt: instant(nowMs + 1) });
    expect((writes[1]?.round ?? '') > begun).toBe(true);
  });
});

describe('an activity', () => {
  test('begins a round of its own at its arrival', async () => {
    const { startRound, writes, sent } = start([applied]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued', status: 'NOTIFIED' });
    expect(writes).toHaveLength(1);
    expect(writes[0]?.round).toMatch(new RegExp(`^${String(nowMs).padStart(15, '0')}-[0-9a-f]{12}$`));
    expect(sent).toEqual([messageOf(writes[0]?.round)]);
  });

  test('that meets a newer round begins one newer still', async () => {
    const newest = round(nowMs + 5_000);
    const { startRound, writes, sent } = start([rejected(orders.downloaded({ round: newest })), applied]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued' });
    expect((writes[1]?.round ?? '') > newest).toBe(true);
    expect(sent).toEqual([messageOf(writes[1]?.round)]);
  });

  test('whose write was made and its response lost is enqueued', async () => {
    const { startRound, writes, sent } = start([({ round: own }) => rejected(orders.notified({ round: own }))]);
    expect(await startRound(activity)).toMatchObject({ outcome: 'queued' });
    expect(sent).toEqual([messageOf(writes[0]?.round)]);
  });

  test('gives up after five races and leaves the rest to the retry', async () => {
    const newer = () => rejected(orders.notified({ round: round(nowMs + 60_000) }));
    const { startRound, writes, sent } = start([newer, newer, newer, newer, newer]);
    await expect(startRound(activity)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(writes).toHaveLength(5);
    expect(sent).toEqual([]);
  });

  test('passes on force and the first time of notification', async () => {
    const { startRound, writes } = start([applied]);
    await startRound({ ...activity, force: true, notifiedAtMs: nowMs - 5 });
    expect(writes).toEqual([expect.objectContaining({ force: true, notifiedAtMs: nowMs - 5 })]);
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

  test('whose order vanished meanwhile may pass later', async () => {
    const { startRound, sent } = start([rejected(undefined), rejected(undefined)]);
    await expect(startRound(request)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: true });
    expect(sent).toEqual([]);
  });
});

describe('a round from stored bytes', () => {
  const payload = { s3Key: 'raw/QO-123456/old.json', checksum: checksum(), sizeBytes: 7 };
  const after = round(nowMs - 5_000);
  const request = {
    ...{ orderId: orderId(), requestId: requestId(), notificationType: 'replay', force: true },
    payload,
    after,
  };
  const startStored = (written: WriteOutcome) => {
    const { startRound, writes } = repositoryOf([written]);
    const sent: ProcessingMessage[] = [];
    const starter = createStoredRoundStarter({
      repository: { startRound },
      processingQueue: { send: async (message) => void sent.push(message) },
      now: () => nowMs,
    });
    return { starter, writes, sent };
  };

  test('is DOWNLOADED at once and goes to processing', async () => {
    const { starter, writes, sent } = startStored(applied);
    const { round: begun, ...rest } = await starter({ ...request, downloadStartedAtMs: 5 });
    expect(rest).toEqual({ outcome: 'queued', status: 'DOWNLOADED' });
    const download = {
      s3Key: payload.s3Key,
      checksum: checksum(),
      payloadSizeBytes: 7,
      receiveCount: 0,
      startedAtMs: 5,
      downloadedAtMs: nowMs,
    };
    expect(writes).toEqual([
      expect.objectContaining({
        ...{ round: begun, notificationType: 'replay', force: true },
        stored: { after, download },
      }),
    ]);
    expect(sent).toEqual([
      {
        ...{ order_id: 'QO-123456', round: begun, request_id: 'request-1' },
        ...{ s3_key: payload.s3Key, checksum: checksum(), sent_at: nowMs },
      },
    ]);
  });

  test('sorts after the round that it was chosen in, also when that one is ahead of our clock', async () => {
    const ahead = round(nowMs + 60_000);
    const { round: begun } = await startStored(applied).starter({ ...request, after: ahead });
    expect(begun > ahead).toBe(true);
  });

  test('gives way to a newer round, once', async () => {
    const newer = orders.notified({ round: round(nowMs - 1) });
    const { starter, writes, sent } = startStored(rejected(newer));
    expect(await starter(request)).toEqual({ outcome: 'stale', round: newer.round, status: 'NOTIFIED' });
    expect({ writes: writes.length, sent }).toEqual({ writes: 1, sent: [] });
  });
});

import type { ProcessingMessage } from '../../../../shared/orders/message';
import type { Order } from '../../../../shared/orders/order';
import type { RoundStart, WriteOutcome } from '../../../../shared/orders/repository';
import { createStoredRoundStarter } from '../../../../shared/orders/start-stored-round';
import { checksum, orderId, orders, requestId, round } from '../../../support/orders';

const nowMs = Date.parse('2026-03-01T00:00:00Z');
const applied: WriteOutcome = { applied: true };
const rejected = (order: Order | undefined): WriteOutcome => ({ applied: false, order });

describe('a round from stored bytes', () => {
  const payload = { s3Key: 'raw/QO-123456/old.json', checksum: checksum(), sizeBytes: 7 };
  const after = round(nowMs - 5_000);
  const request = {
    orderId: orderId(),
    requestId: requestId(),
    notificationType: 'replay',
    force: true,
    payload,
    after,
  };
  const startStored = (written: WriteOutcome) => {
    const writes: RoundStart[] = [];
    const sent: ProcessingMessage[] = [];
    const starter = createStoredRoundStarter({
      repository: {
        startRound: async (write) => {
          writes.push(write);
          return written;
        },
      },
      processingQueue: { send: async (message) => void sent.push(message) },
      now: () => nowMs,
    });
    return { starter, writes, sent };
  };

  test('starts as DOWNLOADED and sends its message to processing', async () => {
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
        round: begun,
        notificationType: 'replay',
        force: true,
        after,
        download,
      }),
    ]);
    expect(sent).toEqual([
      {
        order_id: 'QO-123456',
        round: begun,
        request_id: 'request-1',
        started_by: 'replay',
        s3_key: payload.s3Key,
        checksum: checksum(),
        sent_at: nowMs,
      },
    ]);
  });

  test('sorts after the round in which its payload was chosen, even if that round is ahead of our clock', async () => {
    const ahead = round(nowMs + 60_000);
    const { round: begun } = await startStored(applied).starter({ ...request, after: ahead });
    expect(begun > ahead).toBe(true);
  });

  test('is stale if there is a newer round, and is not written again', async () => {
    const newer = orders.notified({ round: round(nowMs - 1) });
    const { starter, writes, sent } = startStored(rejected(newer));
    expect(await starter(request)).toEqual({ outcome: 'stale', round: newer.round, status: 'NOTIFIED' });
    expect({ writes: writes.length, sent }).toEqual({ writes: 1, sent: [] });
  });
});

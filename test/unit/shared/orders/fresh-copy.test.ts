import { deliveryOf } from '../../../../shared/orders/delivery';
import { createFreshCopy } from '../../../../shared/orders/fresh-copy';
import type { DownloadMessage } from '../../../../shared/orders/message';
import { orderMemory } from '../../../support/order-memory';
import { downloadMessage } from '../../../support/orders';
import { sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const nowMs = 1_767_225_610_000;

/** Sends a copy of `message`. @returns the calls to the queue and the repository, in order */
const copy = async (message: DownloadMessage, waitSeconds: number, receiveCount = 1): Promise<unknown[][]> => {
  const actions: unknown[][] = [];
  const sendCopy = createFreshCopy<DownloadMessage>({
    queue: {
      send: async (sent, delaySeconds) => {
        actions.push(['send', sent, delaySeconds]);
      },
    },
    repository: {
      recordDeferral: async (...deferral) => {
        actions.push(['defer', ...deferral]);
        return { applied: true };
      },
    },
    now: () => nowMs,
  });
  const record = sqsRecord(message, { receiveCount });
  await sendCopy(
    deliveryOf(record, message, { deadlineMs: nowMs, memory: orderMemory(), onRetry: unconfigured('onRetry') }),
    waitSeconds,
  );
  return actions;
};

test('a copy is the same message, delayed by the wait', async () => {
  expect(await copy(downloadMessage(), 900)).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs }), 900]]);
});

test('a wait longer than SQS can delay is first stored on the order, then in the copy', async () => {
  const notBeforeMs = nowMs + 901_000;
  const { order_id, round } = downloadMessage();
  expect(await copy(downloadMessage(), 901)).toEqual([
    ['defer', order_id, round, notBeforeMs],
    ['send', downloadMessage({ first_sent_at: sqsSentAtMs, not_before: notBeforeMs }), 900],
  ]);
});

test('a copy of a message whose call may have taken effect is marked as retried', async () => {
  expect(await copy(downloadMessage(), 30, 2)).toEqual([
    ['send', downloadMessage({ first_sent_at: sqsSentAtMs, retried: true }), 30],
  ]);
});

test('a copy has its own send time, if the message has one', async () => {
  const sent = downloadMessage({ sent_at: sqsSentAtMs });
  expect(await copy(sent, 30)).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs, sent_at: nowMs }), 30]]);
});

test('a copy of a copy keeps the time at which the first message was sent', async () => {
  const sent = downloadMessage({ first_sent_at: 5 });
  expect(await copy(sent, 30)).toEqual([['send', sent, 30]]);
});

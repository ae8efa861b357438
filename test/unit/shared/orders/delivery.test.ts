import { deliveryOf, readMessage } from '../../../../shared/orders/delivery';
import { downloadMessageSchema } from '../../../../shared/orders/message';
import { orderMemory } from '../../../support/order-memory';
import { downloadMessage, processingMessage } from '../../../support/orders';
import { sqsFirstReceivedAtMs, sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const context = { deadlineMs: 1, memory: orderMemory(), onRetry: unconfigured('onRetry') };

const deliver = (message = downloadMessage(), receiveCount = 1) =>
  deliveryOf(sqsRecord(message, { receiveCount }), message, context);

test('a message is read from the body of its record', () => {
  expect(readMessage(sqsRecord(downloadMessage()), downloadMessageSchema)).toEqual(downloadMessage());
});

test.each([
  ['text that is not JSON', 'Ada Byron'],
  ['no order id', {}],
])('a body with %s is a permanent BAD_MESSAGE without its content', (_, body) => {
  expect(() => readMessage(sqsRecord(body), downloadMessageSchema)).toThrow(
    expect.objectContaining({
      code: 'BAD_MESSAGE',
      message: 'The message is not one of ours',
      retryable: false,
    }),
  );
});

test('a delivery has the numbers that SQS sends as text', () => {
  expect(deliver(downloadMessage(), 3)).toEqual({
    message: downloadMessage(),
    receiptHandle: 'receipt-of-message-1',
    receiveCount: 3,
    firstReceivedAtMs: sqsFirstReceivedAtMs,
    waitingSinceMs: sqsSentAtMs,
    context,
    mayHaveTakenEffect: true,
  });
});

test.each([
  ['received for the first time', downloadMessage(), 1, false],
  ['received again', downloadMessage(), 2, true],
  ['a copy of a message that may have taken effect', downloadMessage({ retried: true }), 1, true],
  // SQS treats a redriven message as a new one, and counts its receives from 1.
  ['sent up to a minute before SQS accepted it', downloadMessage({ sent_at: sqsSentAtMs - 60_000 }), 1, false],
  ['sent earlier than that, so it was redriven', downloadMessage({ sent_at: sqsSentAtMs - 60_001 }), 1, true],
  ['sent by a process whose clock is ahead', downloadMessage({ sent_at: sqsSentAtMs + 5_000 }), 1, false],
])('a message that was %s: whether a call may have taken effect', (_, message, receiveCount, expected) => {
  expect(deliver(message, receiveCount).mayHaveTakenEffect).toBe(expected);
});

test('of a message to processing without a time, as the first releases sent it, a redrive cannot be excluded', () => {
  const deliverToProcessing = (sentAtMs: number | undefined) => {
    const message = processingMessage({ sent_at: sentAtMs });
    return deliveryOf(sqsRecord(message, { receiveCount: 1 }), message, context);
  };
  expect(deliverToProcessing(undefined).mayHaveTakenEffect).toBe(true);
  expect(deliverToProcessing(sqsSentAtMs).mayHaveTakenEffect).toBe(false);
});

test.each([
  ['a message', downloadMessage(), sqsSentAtMs],
  ['a fresh copy: since the first message was sent', downloadMessage({ first_sent_at: 5, sent_at: sqsSentAtMs }), 5],
  ['a redriven copy: since the redrive', downloadMessage({ first_sent_at: 5, sent_at: 6 }), sqsSentAtMs],
])('how long the order waits for this worker: %s', (_, message, expected) => {
  expect(deliver(message).waitingSinceMs).toBe(expected);
});

import type { SQSEvent, SQSRecord } from 'aws-lambda';

/** The SentTimestamp of every message, epoch ms. */
export const sqsSentAtMs = 1_767_225_000_000;

/** When every message was received for the first time, epoch ms. */
export const sqsFirstReceivedAtMs = 1_767_225_000_000;

/** A received message. `body` is used unchanged if it is text, otherwise written as JSON. */
export const sqsRecord = (body: unknown, { receiveCount = 1, messageId = 'message-1' } = {}): SQSRecord => ({
  messageId,
  receiptHandle: `receipt-of-${messageId}`,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(sqsSentAtMs),
    SenderId: 'sender',
    ApproximateFirstReceiveTimestamp: String(sqsFirstReceivedAtMs),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
  awsRegion: 'us-east-1',
});

/** The event of a batch. */
export const sqsEvent = (...records: readonly SQSRecord[]): SQSEvent => ({ Records: [...records] });

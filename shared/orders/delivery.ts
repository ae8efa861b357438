import type { SQSRecord } from 'aws-lambda';
import { safeParse } from 'zod/v4/core';
import { PipelineError } from '../errors';
import type { CallContext } from '../http/api-client';
import { parseJson } from '../json';
import type { Schema } from '../schema';
import type { DownloadMessage } from './message';
import type { OrderMemory } from './order-memory';

/** The limits of the calls for one order. */
export interface OrderContext extends CallContext {
  readonly memory: OrderMemory;
}

/** One receive of a message. */
export interface Delivery<Message> {
  readonly message: Message;
  /** Identifies this receive in calls to the queue. */
  readonly receiptHandle: string;
  /** From 1. */
  readonly receiveCount: number;
  /** When the message was received for the first time, epoch ms. */
  readonly firstReceivedAtMs: number;
  /** When the message, or the first of the fresh copies that led to it, was sent, epoch ms. A redrive starts anew. */
  readonly waitingSinceMs: number;
  /** For the calls that the step makes. */
  readonly context: OrderContext;
  /** Whether a call to the API for this round may have taken effect. A step sets it before it calls. */
  mayHaveTakenEffect: boolean;
}

/** Tolerates clock differences between Lambda and SQS, and a send that was delayed by retries. */
const sendToleranceMs = 60_000;

/**
 * Reads the message of a record.
 *
 * @throws {PipelineError} `BAD_MESSAGE`, permanent, without the record's content
 */
export const readMessage = <Message>({ body }: SQSRecord, schema: Schema<Message>): Message => {
  const parsed = safeParse(schema, parseJson(body));
  if (parsed.success) return parsed.data;
  throw new PipelineError('BAD_MESSAGE', 'The message is not one of ours', { retryable: false });
};

/** Whether the message comes from the dead-letter queue: earlier receives, which SQS no longer counts, may have acted. */
const isRedriven = ({ attributes }: SQSRecord, { sent_at: sentAtMs }: DownloadMessage): boolean =>
  sentAtMs !== undefined && Number(attributes.SentTimestamp) > sentAtMs + sendToleranceMs;

/** The first releases gave their messages to processing no time, so whether one was redriven is unknown. */
const isOfEarlyRelease = (message: DownloadMessage): boolean => 's3_key' in message && message.sent_at === undefined;

/** The delivery of a message that was read from `record`. */
export const deliveryOf = <Message extends DownloadMessage>(
  record: SQSRecord,
  message: Message,
  context: OrderContext,
): Delivery<Message> => {
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  const sentAtMs = Number(record.attributes.SentTimestamp);
  const redriven = isRedriven(record, message);
  return {
    message,
    receiptHandle: record.receiptHandle,
    receiveCount,
    firstReceivedAtMs: Number(record.attributes.ApproximateFirstReceiveTimestamp),
    waitingSinceMs: redriven ? sentAtMs : (message.first_sent_at ?? sentAtMs),
    context,
    mayHaveTakenEffect: receiveCount > 1 || message.retried === true || redriven || isOfEarlyRelease(message),
  };
};

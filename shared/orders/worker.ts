import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { safeParse } from 'zod/v4/core';
import type { Queue } from '../aws/queue';
import { type ApiName, type ErrorCode, PipelineError, toPipelineError } from '../errors';
import type { CallContext } from '../http/api-client';
import type { Random } from '../http/backoff';
import { parseJson } from '../json';
import type { MetricsRecorder } from '../observability/metrics';
import { reportRetry } from '../observability/report-retry';
import type { Schema } from '../schema';
import type { DownloadMessage } from './message';
import type { Failure, WorkerName } from './order';
import { decide } from './redelivery';
import type { OrderRepository, Rejection, WriteOutcome } from './repository';

/** One receive of a message. */
export interface Delivery<Message> {
  readonly message: Message;
  /** From 1. */
  readonly receiveCount: number;
  /** For the calls that the step makes. */
  readonly context: CallContext;
  /** Whether a call to the API for this round may have taken effect. A step sets it before it calls. */
  mayHaveTakenEffect: boolean;
}

export interface OrderWorkerOptions<Message extends DownloadMessage> {
  readonly worker: WorkerName;
  /** The API behind the step. */
  readonly api: ApiName;
  readonly schema: Schema<Message>;
  /**
   * The step itself, up to its last write. Returns the result of that write, or of the read that made it unnecessary.
   * The error that it throws decides what happens to the message.
   */
  readonly step: (delivery: Delivery<Message>) => Promise<WriteOutcome>;
  /** When the API last sent this process a conclusive response, epoch ms. */
  readonly lastResponseAtMs: () => number | undefined;
  /** The part of an API's response that the order keeps besides the error's code and message. */
  readonly responseOf?: (error: PipelineError) => string | undefined;
  /** Called when the order has moved on and rejected the step or its failure. */
  readonly onSuperseded?: (delivery: Delivery<Message>, rejection: Rejection) => Promise<void>;
  /** The worker's own queue. */
  readonly queue: Queue<Message>;
  /** The last receive before the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly repository: Pick<OrderRepository, 'read' | 'recordFailure' | 'recordDeferral'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly random?: Random;
}

/** Reserved at the end of each invocation for what follows a step: the status, the message and the log lines. */
export const reserveMs = 3_000;
/** The longest delay of a message in SQS. */
const maxDelaySeconds = 900;
/** The first failure of a message comes within this time of its first receive: longer than an invocation can take. */
export const firstFailureMs = 120_000;
/** A round that its API has failed for longer than this is given up. Shorter than SQS keeps a message. */
export const patienceMs = 4 * 86_400_000;

/** Tolerates clock differences between Lambda and SQS, and a send that was delayed by retries. */
const sendToleranceMs = 60_000;

/** What happens to a message: SQS deletes it, or delivers it again. */
type Verdict = 'acknowledge' | 'redeliver';

/**
 * A worker on a queue of orders. Handles the records of a batch concurrently, so that a bad one never affects the
 * others, and executes the decision of `decide` for each failure.
 */
export const createOrderWorker = <Message extends DownloadMessage>(options: OrderWorkerOptions<Message>) => {
  const { worker, queue, repository, logger, metrics, now, random = Math.random } = options;

  const reportFailure = (
    message: Message,
    failure: { readonly code: string; readonly message: string },
    receive: number | undefined,
    cause?: PipelineError,
  ): void => {
    metrics.add('OrderFailed');
    logger.error('order failed for good', {
      ...identify(message),
      status: 'FAILED',
      error: failure.message,
      error_code: failure.code,
      status_code: cause?.statusCode,
      stage_failed: worker,
      receive,
      error_details: cause,
    });
  };

  /**
   * Ends a message whose round is closed or no longer the newest. If this worker closed it as FAILED, that delivery may
   * have crashed before its log line: report the failure again rather than never.
   */
  const supersede = async (delivery: Delivery<Message>, rejection: Rejection): Promise<void> => {
    const { message } = delivery;
    const { order } = rejection;
    await options.onSuperseded?.(delivery, rejection);
    if (order?.status === 'FAILED' && order.round === message.round && order.error.stage === worker) {
      return reportFailure(message, order.error, order.attempts);
    }
    logger.info('message superseded', { ...identify(message), outcome: 'superseded' });
  };

  /** @returns whether the order accepted the failure */
  const recordFailure = async (
    delivery: Delivery<Message>,
    failure: Omit<Failure, 'code'> & { readonly code: ErrorCode },
    cause: PipelineError,
  ): Promise<boolean> => {
    const { message, receiveCount } = delivery;
    const written = await repository.recordFailure(message.order_id, message.round, {
      ...failure,
      receiveCount,
      failedAtMs: now(),
    });
    if (written.applied) reportFailure(message, failure, receiveCount, cause);
    else await supersede(delivery, written);
    return written.applied;
  };

  const failPermanently = async (delivery: Delivery<Message>, error: PipelineError): Promise<Verdict> => {
    const answer = options.responseOf?.(error);
    const failure = {
      code: error.code,
      message: error.message,
      stage: worker,
      ...(answer !== undefined && { answer }),
    };
    await recordFailure(delivery, failure, error);
    return 'acknowledge';
  };

  const exhaust = async (delivery: Delivery<Message>, error: PipelineError, receipt: string): Promise<Verdict> => {
    const message = `Gave up after ${delivery.receiveCount} receives: ${error.message} (${error.code})`;
    // A message whose round is over needs no attention: it must not become a dead letter.
    if (!(await recordFailure(delivery, { code: 'RETRIES_EXHAUSTED', message, stage: worker }, error)))
      return 'acknowledge';
    await queue.hideFor(receipt, 0);
    return 'redeliver';
  };

  /** Sends a fresh copy, which has all of its receives again, before the message is deleted. */
  const sendCopy = async (
    { message, mayHaveTakenEffect }: Delivery<Message>,
    waitSeconds: number,
  ): Promise<Verdict> => {
    const notBeforeMs = now() + waitSeconds * 1_000;
    const isLong = waitSeconds > maxDelaySeconds;
    if (isLong) await repository.recordDeferral(message.order_id, message.round, notBeforeMs);
    const copy = {
      ...message,
      ...(isLong && { not_before: notBeforeMs }),
      ...(mayHaveTakenEffect && { retried: true }),
      ...(message.sent_at !== undefined && { sent_at: now() }),
    };
    await queue.send(copy, Math.min(maxDelaySeconds, waitSeconds));
    return 'acknowledge';
  };

  const report = ({ message, receiveCount }: Delivery<Message>, error: PipelineError, waitSeconds: number): void =>
    reportRetry(logger, metrics, { ...identify(message), receive: receiveCount }, { error, waitSeconds });

  /** Replaces the message by a copy instead of using its last receive, unless the round is over or too old. */
  const spare = async (
    delivery: Delivery<Message>,
    error: PipelineError,
    seconds: number,
    receipt: string,
  ): Promise<Verdict> => {
    const { message } = delivery;
    const order = await repository.read(message.order_id);
    if (order?.round !== message.round || order.status === 'PROCESSED') {
      await supersede(delivery, { applied: false, order });
      return 'acknowledge';
    }
    if (now() - Date.parse(order.notified_at) > patienceMs) return exhaust(delivery, error, receipt);
    report(delivery, error, seconds);
    return sendCopy(delivery, seconds);
  };

  const settle = async (record: SQSRecord, delivery: Delivery<Message>, error: PipelineError): Promise<Verdict> => {
    const { receiveCount } = delivery;
    const { maxReceiveCount } = options;
    const firstReceivedMs = Number(record.attributes.ApproximateFirstReceiveTimestamp);
    const apiWorks = (options.lastResponseAtMs() ?? 0) > firstReceivedMs + firstFailureMs;
    const decision = decide(error, { receiveCount, maxReceiveCount, apiWorks }, random);
    switch (decision.action) {
      case 'fail':
        return failPermanently(delivery, error);
      case 'copy':
        return sendCopy(delivery, decision.seconds);
      case 'spare':
        return spare(delivery, error, decision.seconds, record.receiptHandle);
      case 'exhaust':
        return exhaust(delivery, error, record.receiptHandle);
      case 'hide':
        report(delivery, error, decision.seconds);
        await queue.hideFor(record.receiptHandle, decision.seconds);
        return 'redeliver';
    }
  };

  const readMessage = async (record: SQSRecord): Promise<Message> => {
    const parsed = safeParse(options.schema, parseJson(record.body));
    if (parsed.success) return parsed.data;
    const error = new PipelineError('BAD_MESSAGE', 'The message is not one of ours', { retryable: false });
    logger.error('message cannot be read', { error: error.message, error_code: error.code });
    // A retry cannot make it readable, so let it reach the dead-letter queue without delay.
    await queue.hideFor(record.receiptHandle, 0);
    throw error;
  };

  const handleRecord = async (record: SQSRecord, deadlineMs: number): Promise<void> => {
    const message = await readMessage(record);
    const receiveCount = Number(record.attributes.ApproximateReceiveCount);
    const keys = { ...identify(message), receive: receiveCount };
    const delivery: Delivery<Message> = {
      message,
      receiveCount,
      context: {
        deadlineMs,
        onRetry: ({ error, attempt, waitMs }) =>
          reportRetry(logger, metrics, keys, { error, attempt, waitSeconds: waitMs / 1_000 }),
      },
      mayHaveTakenEffect: receiveCount > 1 || message.retried === true || isRedriven(record, message),
    };
    try {
      const earlyMs = (message.not_before ?? 0) - now();
      if (earlyMs > 0) throw tooEarly(options.api, earlyMs);
      const written = await options.step(delivery);
      if (!written.applied) await supersede(delivery, written);
    } catch (thrown) {
      const error = toPipelineError(thrown);
      const verdict = await settle(record, delivery, error).catch((unsettled: unknown) => {
        // SQS delivers the message again when its visibility timeout ends. The order is unchanged.
        logger.error('message could not be settled', {
          ...identify(message),
          error: error.message,
          error_code: error.code,
          error_details: toPipelineError(unsettled),
        });
        return 'redeliver' as const;
      });
      if (verdict === 'redeliver') throw error;
    }
  };

  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    logger.addContext(context);
    const deadlineMs = now() + context.getRemainingTimeInMillis() - reserveMs;
    const processor = new BatchProcessor(EventType.SQS);
    try {
      return await processPartialResponse(event, (record: SQSRecord) => handleRecord(record, deadlineMs), processor, {
        throwOnFullBatchFailure: false,
      });
    } finally {
      metrics.flush();
    }
  };
};

/** Whether the message comes from the dead-letter queue: earlier receives, which SQS no longer counts, may have acted. */
const isRedriven = ({ attributes }: SQSRecord, { sent_at: sentAtMs }: DownloadMessage): boolean =>
  sentAtMs !== undefined && Number(attributes.SentTimestamp) > sentAtMs + sendToleranceMs;

const tooEarly = (api: ApiName, retryAfterMs: number): PipelineError =>
  new PipelineError('RATE_LIMITED', 'The API asked for a longer wait than a message can be delayed', {
    api,
    retryable: true,
    retryAfterMs,
  });

/** The log fields that identify a message. */
export const identify = (message: DownloadMessage) => ({ order_id: message.order_id, request_id: message.request_id });

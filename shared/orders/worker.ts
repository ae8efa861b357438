import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { safeParse } from 'zod/v4/core';
import type { Queue } from '../aws/queue';
import type { Schema } from '../config';
import { PipelineError, toPipelineError } from '../errors';
import type { CallContext } from '../http/api-client';
import { type Random, redeliveryDelaySeconds } from '../http/backoff';
import { maxWaitMs } from '../http/order-api';
import { parseJson } from '../json';
import type { MetricsRecorder } from '../observability/metrics';
import { reportRetry } from '../observability/report-retry';
import type { DownloadMessage } from './message';
import type { Failure, Order, Stage } from './order';
import type { OrderRepository, WriteOutcome } from './repository';

/** One receive of a message. */
export interface Delivery<Message> {
  readonly message: Message;
  /** From 1. */
  readonly receiveCount: number;
  /** The API has answered somebody between the message's first failure and this delivery. */
  readonly apiWorks: boolean;
  /** For the calls that the step makes. */
  readonly context: CallContext;
}

export interface OrderWorkerOptions<Message extends DownloadMessage> {
  readonly stage: Stage;
  readonly schema: Schema<Message>;
  /**
   * The step itself, up to its last write: what came of that, or of the read that spared it. It throws a
   * {@link PipelineError}; what it throws decides what becomes of the message.
   */
  readonly step: (delivery: Delivery<Message>) => Promise<WriteOutcome>;
  /** When the API behind the step last answered anybody in this process, epoch ms. */
  readonly answeredAtMs: () => number | undefined;
  /** What the order keeps of an error besides its code and message. */
  readonly answerOf?: (error: PipelineError) => string | undefined;
  /** What is still owed to a message whose step, or failure, the order did not take, with the order as it stands. */
  readonly onSuperseded?: (message: Message, order: Order | undefined) => Promise<void>;
  /** The worker's own queue. */
  readonly queue: Queue<Message>;
  /** The receive that is the last before the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly repository: Pick<OrderRepository, 'read' | 'recordFailure'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly random?: Random;
}

/** Left of an invocation for what follows a step: its status, its message, its log lines. */
const reserveMs = 3_000;

const maxDelaySeconds = 900;
/** SQS counts its 12 hours from the receive on, and refuses a wait that would end later. */
const maxVisibilitySeconds = 43_000;

/** So long after its first receive, a message has had its first failure: its batch was filled, and run. */
const firstFailureMs = 120_000;
/** As long as a queue keeps a message: an API that fails an order for longer is given up. */
const patienceMs = 4 * 86_400_000;

/** What becomes of a message: done with, or back to its queue. */
type Verdict = 'acknowledge' | 'redeliver';

/**
 * A worker on a queue of orders: handles a batch concurrently and decides what becomes of each message
 * (`docs/architecture.md`, "Failing well"). A record that fails never touches its neighbours.
 */
export const createOrderWorker = <Message extends DownloadMessage>(options: OrderWorkerOptions<Message>) => {
  const { stage, queue, repository, logger, metrics, now, random = Math.random } = options;

  const tellFailure = (
    message: Message,
    failure: Failure,
    attempt: number | undefined,
    cause?: PipelineError,
  ): void => {
    metrics.add('OrderFailed');
    logger.error('order failed for good', {
      ...identify(message),
      status: 'FAILED',
      error: failure.message,
      error_code: failure.code,
      status_code: cause?.statusCode,
      stage_failed: failure.stage,
      attempt,
      error_details: cause,
    });
  };

  /**
   * A message whose round is closed, or no longer the newest. If it was this worker that closed it as FAILED, the
   * delivery that did may have died before it told: better told twice than never.
   */
  const supersede = async (message: Message, order: Order | undefined): Promise<void> => {
    await options.onSuperseded?.(message, order);
    if (order?.status === 'FAILED' && order.round === message.round && order.error.stage === stage) {
      return tellFailure(message, order.error, order.attempts);
    }
    logger.info('message superseded', { ...identify(message), outcome: 'superseded' });
  };

  /** @returns whether the order was still this message's to fail */
  const recordFailure = async (message: Message, failure: Failure, receiveCount: number, cause: PipelineError) => {
    const written = await repository.recordFailure(message.order_id, message.round, {
      ...failure,
      attempts: receiveCount,
      failedAtMs: now(),
    });
    if (written.applied) tellFailure(message, failure, receiveCount, cause);
    else await supersede(message, written.order);
    return written.applied;
  };

  /** A fresh copy has all of its receives again. It is sent before the message is let go, so that none is lost. */
  const startOver = async (message: Message, waitSeconds: number): Promise<Verdict> => {
    const copy = waitSeconds > maxDelaySeconds ? { ...message, not_before: now() + waitSeconds * 1_000 } : message;
    await queue.send(copy, Math.min(maxDelaySeconds, waitSeconds));
    return 'acknowledge';
  };

  /**
   * A last receive that proves nothing against its message: nobody else was answered either, or there were too many
   * calls (`docs/architecture.md`, "Back pressure").
   *
   * @returns undefined when the message is to be given up
   */
  const spare = async (
    { message, receiveCount, apiWorks }: Delivery<Message>,
    error: PipelineError,
    waitSeconds: number,
  ): Promise<Verdict | undefined> => {
    if (error.api === undefined || (apiWorks && error.code !== 'RATE_LIMITED')) return undefined;
    const order = await repository.read(message.order_id);
    if (order?.round !== message.round || order.status === 'PROCESSED') {
      await supersede(message, order);
      return 'acknowledge';
    }
    if (now() - Date.parse(order.notified_at) > patienceMs) return undefined;
    reportRetry(logger, metrics, identify(message), { error, attempt: receiveCount, waitSeconds });
    return startOver(message, waitSeconds);
  };

  /** The one decision on what follows an error. */
  const settle = async (record: SQSRecord, delivery: Delivery<Message>, error: PipelineError): Promise<Verdict> => {
    const { message, receiveCount } = delivery;
    if (error.code === 'CIRCUIT_OPEN') {
      return startOver(message, Math.ceil((error.retryAfterMs ?? 0) / 1_000 + random() * 30));
    }
    if (!error.retryable) {
      const answer = options.answerOf?.(error);
      const failure = { code: error.code, message: error.message, stage, ...(answer !== undefined && { answer }) };
      await recordFailure(message, failure, receiveCount, error);
      return 'acknowledge';
    }
    // A short Retry-After was respected within the invocation; as a visibility it would burn the receives in seconds.
    const askedMs = error.retryAfterMs ?? 0;
    const waitSeconds =
      askedMs > maxWaitMs
        ? Math.min(maxVisibilitySeconds, Math.ceil(askedMs / 1_000))
        : redeliveryDelaySeconds(receiveCount, random);
    if (receiveCount >= options.maxReceiveCount) {
      const verdict = await spare(delivery, error, waitSeconds);
      if (verdict !== undefined) return verdict;
      const exhausted = `Gave up after ${receiveCount} receives: ${error.message} (${error.code})`;
      const failure = { code: 'RETRIES_EXHAUSTED', message: exhausted, stage } as const;
      // Nothing is left to do for a message whose round is over: it is no dead letter.
      if (!(await recordFailure(message, failure, receiveCount, error))) return 'acknowledge';
      await queue.hideFor(record.receiptHandle, 0);
      return 'redeliver';
    }
    reportRetry(logger, metrics, identify(message), { error, attempt: receiveCount, waitSeconds });
    await queue.hideFor(record.receiptHandle, waitSeconds);
    return 'redeliver';
  };

  const handleRecord = async (record: SQSRecord, deadlineMs: number): Promise<void> => {
    const parsed = safeParse(options.schema, parseJson(record.body));
    if (!parsed.success) {
      const error = new PipelineError('BAD_MESSAGE', 'The message is not one of ours', { retryable: false });
      logger.error('message cannot be read', { error: error.message, error_code: error.code });
      // No wait makes it readable: it goes to the dead-letter queue as fast as its receives allow.
      await queue.hideFor(record.receiptHandle, 0);
      throw error;
    }
    const message = parsed.data;
    const { ApproximateReceiveCount: receives, ApproximateFirstReceiveTimestamp: firstReceivedMs } = record.attributes;
    const delivery: Delivery<Message> = {
      message,
      receiveCount: Number(receives),
      apiWorks: (options.answeredAtMs() ?? 0) > Number(firstReceivedMs) + firstFailureMs,
      context: {
        deadlineMs,
        onRetry: ({ error, attempt, waitMs }) =>
          reportRetry(logger, metrics, identify(message), { error, attempt, waitSeconds: waitMs / 1_000 }),
      },
    };
    try {
      const earlyMs = (message.not_before ?? 0) - now();
      if (earlyMs > 0) throw tooEarly(earlyMs);
      const written = await options.step(delivery);
      if (!written.applied) await supersede(message, written.order);
    } catch (thrown) {
      const error = toPipelineError(thrown);
      const verdict = await settle(record, delivery, error).catch((unsettled: unknown) => {
        // The message comes back when its visibility ends; the order is as it was.
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

const tooEarly = (retryAfterMs: number): PipelineError =>
  new PipelineError('RATE_LIMITED', 'The API asked for a longer wait than a message can be delayed', {
    retryable: true,
    retryAfterMs,
  });

/** The fields of a line about a message. */
export const identify = (message: DownloadMessage) => ({ order_id: message.order_id, request_id: message.request_id });

import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type ApiName, PipelineError, toPipelineError } from '../errors';
import type { Random } from '../http/backoff';
import type { FailureCollector } from '../issues/failure-collector';
import type { Schema } from '../schema';
import { type Delivery, deliveryOf, readMessage } from './delivery';
import type { DownloadMessage } from './message';
import type { WorkerMemory } from './order-memory';
import type { WriteOutcome } from './repository';
import { createSettle, type SettleOptions } from './settle';
import { createSupersede, type OnSuperseded } from './supersede';
import { createWorkerReport, type WorkerReportOptions } from './worker-report';

export interface OrderWorkerOptions<Message extends DownloadMessage>
  extends Omit<SettleOptions<Message>, 'report' | 'supersede' | 'random' | 'failures'>,
    WorkerReportOptions {
  readonly failures: FailureCollector;
  /** Shared by the orders of a batch. */
  readonly memory: WorkerMemory;
  /** The API behind the step. */
  readonly api: ApiName;
  readonly schema: Schema<Message>;
  /**
   * The step itself, up to its last write. Returns the result of that write, or of the read that made it unnecessary.
   * The error that it throws decides what happens to the message.
   */
  readonly step: (delivery: Delivery<Message>) => Promise<WriteOutcome>;
  readonly onSuperseded?: OnSuperseded<Message>;
  readonly random?: Random;
}

/** Reserved at the end of each invocation for what follows a step: the status, the message and the log lines. */
export const reserveMs = 3_000;
/** Of this, reserved for the response to Lambda. */
const flushReserveMs = 1_000;

/**
 * A worker on a queue of orders. Handles the records of a batch concurrently, so that a bad one never affects the
 * others.
 */
export const createOrderWorker = <Message extends DownloadMessage>(options: OrderWorkerOptions<Message>) => {
  const { api, schema, step, queue, failures, logger, metrics, now, random = Math.random } = options;
  const report = createWorkerReport(options);
  const supersede = createSupersede({ ...options, report });
  const settle = createSettle({ ...options, report, supersede, random });

  const read = async (record: SQSRecord): Promise<Message> => {
    try {
      return readMessage(record, schema);
    } catch (thrown) {
      report.unreadable(toPipelineError(thrown));
      // A retry cannot make it readable, so let it reach the dead-letter queue without delay.
      await queue.hideFor(record.receiptHandle, 0);
      throw thrown;
    }
  };

  const handleRecord = async (record: SQSRecord, deadlineMs: number): Promise<void> => {
    const message = await read(record);
    const memory = options.memory.open(api, deadlineMs, now);
    const delivery: Delivery<Message> = deliveryOf(record, message, {
      deadlineMs,
      memory,
      onRetry: ({ error, attempt, waitMs }) =>
        report.willRetry(delivery, { error, attempt, waitSeconds: waitMs / 1_000 }),
    });
    try {
      const earlyMs = (message.not_before ?? 0) - now();
      if (earlyMs > 0) throw tooEarly(api, earlyMs);
      const written = await step(delivery);
      memory.release();
      if (!written.applied) await supersede(delivery, written);
    } catch (thrown) {
      memory.release();
      const error = toPipelineError(thrown);
      const settlement = await settle(delivery, error).catch((unsettled: unknown) => {
        // SQS delivers the message again when its visibility timeout ends. The order is unchanged.
        report.unsettled(message, error, unsettled);
        return 'redeliver' as const;
      });
      if (settlement === 'redeliver') throw error;
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
      await failures.flush(context.getRemainingTimeInMillis() - flushReserveMs);
    }
  };
};

const tooEarly = (api: ApiName, retryAfterMs: number): PipelineError =>
  new PipelineError('RATE_LIMITED', 'The API asked for a longer wait than a message can be delayed', {
    api,
    retryable: true,
    retryAfterMs,
  });

import type { SQSEvent } from 'aws-lambda';
import { type ApiName, type ErrorCode, PipelineError } from '../../shared/errors';
import { createLogger } from '../../shared/observability/logger';
import { type DownloadMessage, downloadMessageSchema } from '../../shared/orders/message';
import type { FailureRecord, OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { createOrderWorker, type Delivery, type OrderWorkerOptions } from '../../shared/orders/worker';
import { lambdaContext } from './lambda-context';
import { type CapturedLogs, ownFields } from './logs';
import { recordMetrics } from './metrics';
import { downloadMessage } from './orders';
import { sqsEvent, sqsRecord } from './sqs-events';
import { untold } from './untold';

/** When every run of a worker takes place. */
export const nowMs = Date.parse('2026-01-01T00:00:10Z');

export type Step = (delivery: Delivery<DownloadMessage>) => Promise<WriteOutcome>;

/** What its queue and its repository are told to answer, and whatever else is not as usual. */
export type ToldWorker = Partial<Omit<OrderWorkerOptions<DownloadMessage>, 'step' | 'queue' | 'repository'>> & {
  readonly read?: OrderRepository['read'];
  readonly send?: () => unknown;
  readonly hideFor?: () => unknown;
  readonly recordFailure?: () => WriteOutcome;
};

/** Runs an order worker over one batch: what it gave back, did in which order, recorded, counted and logged. */
export const runWorker = async (logs: CapturedLogs, event: SQSEvent, step: Step, told: ToldWorker = {}) => {
  const metrics = recordMetrics();
  const did: unknown[][] = [];
  const failures: ({ orderId: string; round: string } & FailureRecord)[] = [];
  const {
    send = untold('send'),
    hideFor = untold('hideFor'),
    recordFailure = untold('recordFailure'),
    read = untold('read'),
    ...options
  } = told;
  const worker = createOrderWorker({
    worker: 'download',
    api: 'qualia',
    schema: downloadMessageSchema,
    step,
    queue: {
      send: async (message, delaySeconds) => {
        send();
        did.push(['send', message, delaySeconds]);
      },
      hideFor: async (receipt, seconds) => {
        hideFor();
        did.push(['hide', receipt, seconds]);
      },
    },
    // Until told otherwise: the API answers others all the time.
    lastResponseAtMs: () => nowMs,
    repository: {
      read,
      recordDeferral: async (order, _round, notBeforeMs) => {
        did.push(['defer', order, notBeforeMs]);
        return { applied: true };
      },
      recordFailure: async (order, round, failure) => {
        const outcome = recordFailure();
        failures.push({ orderId: order, round, ...failure });
        did.push(['fail', order]);
        return outcome;
      },
    },
    maxReceiveCount: 5,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
    random: () => 0.5,
    ...options,
  });
  const { batchItemFailures } = await worker(event, lambdaContext({ remainingMs: 60_000 }));
  return {
    returned: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    did,
    failures,
    added: metrics.added,
    flushes: metrics.flushes(),
    lines: logs.lines().map(ownFields),
  };
};

export const ok = () => undefined;

export const applied = (): WriteOutcome => ({ applied: true });

/** A step that ends well. */
export const done = async (): Promise<WriteOutcome> => applied();

/** A step that fails with what is given. */
export const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

interface ProblemOptions {
  readonly retryable?: boolean;
  readonly api?: ApiName;
  readonly statusCode?: number;
  readonly retryAfterMs?: number;
}

/** A judged error, retryable unless told otherwise. */
export const problem = (code: ErrorCode, options: ProblemOptions = {}) =>
  new PipelineError(code, `It was ${code}`, { retryable: true, ...options });

/** A batch of one message, received for the n-th time. */
export const received = (receiveCount: number): SQSEvent => sqsEvent(sqsRecord(downloadMessage(), { receiveCount }));

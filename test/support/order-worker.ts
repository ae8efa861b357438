import type { SQSEvent } from 'aws-lambda';
import { type ApiName, type ErrorCode, PipelineError } from '../../shared/errors';
import { createLogger } from '../../shared/observability/logger';
import type { Delivery } from '../../shared/orders/delivery';
import { type DownloadMessage, downloadMessageSchema } from '../../shared/orders/message';
import { createWorkerMemory } from '../../shared/orders/order-memory';
import type { FailureRecord, OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { createOrderWorker, type OrderWorkerOptions } from '../../shared/orders/worker';
import { recordFailureGroups } from './failures';
import { lambdaContext } from './lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from './logs';
import { recordMetrics } from './metrics';
import { downloadMessage } from './orders';
import { sqsEvent, sqsRecord } from './sqs-events';
import { unconfigured } from './unconfigured';

/** The current time in every run. */
export const nowMs = Date.parse('2026-01-01T00:00:10Z');

export type Step = (delivery: Delivery<DownloadMessage>) => Promise<WriteOutcome>;

/** Behaviour of the queue and the repository, and options that differ from the defaults. */
export type WorkerDoubles = Partial<Omit<OrderWorkerOptions<DownloadMessage>, 'step' | 'queue' | 'repository'>> & {
  readonly read?: OrderRepository['read'];
  readonly send?: () => unknown;
  readonly hideFor?: () => unknown;
  readonly recordFailure?: () => WriteOutcome;
};

/** Runs an order worker on one batch. Returns its response, actions in sequence, recorded failures, metrics and log lines. */
const runWorker = async (logs: CapturedLogs, event: SQSEvent, step: Step, doubles: WorkerDoubles = {}) => {
  const metrics = recordMetrics();
  const issues = recordFailureGroups();
  const actions: unknown[][] = [];
  const failures: ({ readonly orderId: string; readonly round: string } & FailureRecord)[] = [];
  const {
    send = unconfigured('send'),
    hideFor = unconfigured('hideFor'),
    recordFailure = unconfigured('recordFailure'),
    read = unconfigured('read'),
    ...options
  } = doubles;
  const worker = createOrderWorker({
    worker: 'download',
    api: 'qualia',
    schema: downloadMessageSchema,
    step,
    queue: {
      send: async (message, delaySeconds) => {
        send();
        actions.push(['send', message, delaySeconds]);
      },
      hideFor: async (receipt, seconds) => {
        hideFor();
        actions.push(['hide', receipt, seconds]);
      },
    },
    // Default: the API responds to other calls all the time.
    lastResponseAtMs: () => nowMs,
    repository: {
      read,
      recordDeferral: async (order, _round, notBeforeMs) => {
        actions.push(['defer', order, notBeforeMs]);
        return { applied: true };
      },
      recordFailure: async (order, round, failure) => {
        const outcome = recordFailure();
        failures.push({ orderId: order, round, ...failure });
        actions.push(['fail', order]);
        return outcome;
      },
    },
    failures: issues.collector,
    memory: createWorkerMemory(512),
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
    actions,
    failures,
    added: metrics.added,
    flushes: metrics.flushes(),
    issues: issues.added,
    issueFlushes: issues.flushes(),
    lines: logs.lines().map(ownFields),
  };
};

export const ok = () => undefined;

export const applied = (): WriteOutcome => ({ applied: true });

/** A step that succeeds. */
export const done = async (): Promise<WriteOutcome> => applied();

/** A step that throws the given error. */
export const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

interface ProblemOptions {
  readonly retryable?: boolean;
  readonly api?: ApiName;
  readonly statusCode?: number;
  readonly retryAfterMs?: number;
}

/** A classified error; default: retryable. */
export const problem = (code: ErrorCode, options: ProblemOptions = {}) =>
  new PipelineError(code, `It was ${code}`, { retryable: true, ...options });

/** A batch of one message, received for the n-th time. */
export const received = (receiveCount: number): SQSEvent => sqsEvent(sqsRecord(downloadMessage(), { receiveCount }));

/** Captures the logs of each test of the file. `work` is `runWorker` with these logs. */
export const useOrderWorker = () => {
  let logs: CapturedLogs;
  beforeEach(() => {
    logs = captureLogs();
  });
  afterEach(() => logs.stop());
  return {
    capturedLogs: () => logs,
    work: (event: SQSEvent, step: Step, doubles: WorkerDoubles = {}) => runWorker(logs, event, step, doubles),
  };
};

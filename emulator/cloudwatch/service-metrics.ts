import type { AnsweredRequest } from '../http-api/access-log';
import type { InvocationObserver } from '../lambda/function-pool';
import type { QueueDepth } from '../queues-and-buckets';
import type { Execution } from '../step-functions/execution-store';
import type { CloudWatch } from './cloudwatch';
import type { Metric } from './metric-store';
import { recordedMetrics } from './recorded-metrics';

type Namespace = keyof typeof recordedMetrics;
type NameIn<N extends Namespace> = (typeof recordedMetrics)[N]['names'][number];
type Resource = Readonly<Record<string, string>>;

/** Creates a function that records the metrics of a service, with each of their sets of dimensions. */
const recorderOf = <N extends Namespace>(record: CloudWatch['record'], namespace: N, resource: Resource) => {
  const dimensionSets = recordedMetrics[namespace].dimensionSets.map((set) =>
    Object.fromEntries(set.split(',').map((dimension) => [dimension, resource[dimension] ?? ''])),
  );
  /** Each metric is one object, so that the store needs to compute its key only once. */
  const metrics = new Map<string, readonly Metric[]>();
  return (name: NameIn<N>, value: number, unit = 'Count'): void => {
    const known = metrics.get(name) ?? dimensionSets.map((dimensions) => ({ namespace, name, dimensions }));
    metrics.set(name, known);
    for (const metric of known) record(metric, value, unit);
  };
};

/** Creates the observer of a function's invocations. As in Lambda, an invocation without an error counts 0 errors. */
export const observeInvocations =
  (record: CloudWatch['record']) =>
  (functionName: string): InvocationObserver => {
    const count = recorderOf(record, 'AWS/Lambda', { FunctionName: functionName });
    return {
      started(concurrency) {
        count('ConcurrentExecutions', concurrency);
      },
      ended({ durationMs, failed }) {
        count('Invocations', 1);
        count('Errors', Number(failed));
        count('Throttles', 0);
        count('Duration', durationMs, 'Milliseconds');
      },
      throttled() {
        count('Throttles', 1);
      },
    };
  };

/** Creates a function that records a request to an HTTP API. */
export const recordRequests = (record: CloudWatch['record']) => {
  const recorders = new Map<string, ReturnType<typeof recorderOf<'AWS/ApiGateway'>>>();
  return (ApiId: string, { response: { statusCode }, latencyMs, integrationLatencyMs }: AnsweredRequest): void => {
    const add = recorders.get(ApiId) ?? recorderOf(record, 'AWS/ApiGateway', { ApiId, Stage: '$default' });
    recorders.set(ApiId, add);
    add('Count', 1);
    add('4xx', Number(statusCode >= 400 && statusCode < 500));
    add('5xx', Number(statusCode >= 500));
    add('Latency', latencyMs, 'Milliseconds');
    if (integrationLatencyMs !== undefined) add('IntegrationLatency', integrationLatencyMs, 'Milliseconds');
  };
};

const executionMetrics = {
  RUNNING: 'ExecutionsStarted',
  SUCCEEDED: 'ExecutionsSucceeded',
  FAILED: 'ExecutionsFailed',
  TIMED_OUT: 'ExecutionsTimedOut',
  ABORTED: 'ExecutionsAborted',
} as const;

/** Records the start or the end of an execution of a state machine. */
export const recordExecution =
  (record: CloudWatch['record']) =>
  ({ stateMachineArn, status, startedAt, stoppedAt }: Execution): void => {
    const add = recorderOf(record, 'AWS/States', { StateMachineArn: stateMachineArn });
    add(executionMetrics[status], 1);
    if (stoppedAt !== undefined) add('ExecutionTime', stoppedAt - startedAt, 'Milliseconds');
  };

/** Bytes that CloudWatch Logs adds to each line. */
const lineOverheadBytes = 26;

/**
 * Counts the lines of log groups, and records the counts at the end of each minute: a line costs next to nothing.
 * @returns the function that counts a line
 */
export const countLines = ({
  onMinute,
}: Pick<CloudWatch, 'onMinute'>): ((logGroup: string, message: string) => void) => {
  const counts = new Map<string, { lines: number; bytes: number }>();
  onMinute((record) => {
    for (const [LogGroupName, { lines, bytes }] of counts) {
      const add = recorderOf(record, 'AWS/Logs', { LogGroupName });
      add('IncomingBytes', bytes, 'Bytes');
      add('IncomingLogEvents', lines);
    }
    counts.clear();
  });
  return (logGroup, message) => {
    const count = counts.get(logGroup) ?? { lines: 0, bytes: 0 };
    count.lines++;
    count.bytes += Buffer.byteLength(message) + lineOverheadBytes;
    counts.set(logGroup, count);
  };
};

/** Records the depths of all queues, and the number of messages sent to them, at the end of each minute. */
export const measureQueues = (
  { onMinute, clock }: Pick<CloudWatch, 'onMinute' | 'clock'>,
  depths: () => readonly QueueDepth[],
): void => {
  const sentBefore = new Map<string, number>();
  onMinute((record, endMs) => {
    for (const { name, visible, notVisible, delayed, oldestSentAtMs, sent } of depths()) {
      const add = recorderOf(record, 'AWS/SQS', { QueueName: name });
      const ageMs = oldestSentAtMs === undefined ? 0 : Math.max(0, endMs - clock.at(oldestSentAtMs));
      add('NumberOfMessagesSent', sent - (sentBefore.get(name) ?? 0));
      sentBefore.set(name, sent);
      add('ApproximateNumberOfMessagesVisible', visible);
      add('ApproximateNumberOfMessagesNotVisible', notVisible);
      add('ApproximateNumberOfMessagesDelayed', delayed);
      add('ApproximateAgeOfOldestMessage', Math.round(ageMs / 1_000), 'Seconds');
    }
  });
};

import { createClock } from '../../../../emulator/cloudwatch/clock';
import type { CloudWatch } from '../../../../emulator/cloudwatch/cloudwatch';
import {
  countLines,
  measureQueues,
  observeInvocations,
  recordExecution,
  recordRequests,
} from '../../../../emulator/cloudwatch/service-metrics';
import type { QueueDepth } from '../../../../emulator/queues-and-buckets';

/** Records values as `namespace name dimensions` → values. */
const startRecorder = () => {
  const recorded = new Map<string, number[]>();
  const record: CloudWatch['record'] = ({ namespace, name, dimensions }, value) => {
    const key = `${namespace} ${name} ${Object.entries(dimensions).join(' ')}`;
    recorded.set(key, [...(recorded.get(key) ?? []), value]);
  };
  const measures: Parameters<CloudWatch['onMinute']>[0][] = [];
  const endMinute = (endMs = 0) => {
    for (const measure of measures) measure(record, endMs);
  };
  const take = () => {
    const all = Object.fromEntries(recorded);
    recorded.clear();
    return all;
  };
  return { record, onMinute: (measure: (typeof measures)[number]) => measures.push(measure), endMinute, take };
};

test('Lambda counts errors and throttles, also 0, so that their averages are rates', () => {
  const { record, take } = startRecorder();
  const observer = observeInvocations(record)('f');
  observer.started(2);
  observer.ended({ durationMs: 12, failed: true });
  observer.ended({ durationMs: 8, failed: false });
  observer.throttled();
  const of = 'FunctionName,f';
  expect(take()).toEqual({
    [`AWS/Lambda ConcurrentExecutions ${of}`]: [2],
    [`AWS/Lambda Invocations ${of}`]: [1, 1],
    [`AWS/Lambda Errors ${of}`]: [1, 0],
    [`AWS/Lambda Throttles ${of}`]: [0, 0, 1],
    [`AWS/Lambda Duration ${of}`]: [12, 8],
  });
});

test('an HTTP API counts responses, with and without its stage', () => {
  const { record, take } = startRecorder();
  const recordRequest = recordRequests(record);
  const request = { requestId: '', receivedAt: new Date(0), method: 'POST', path: '/', sourceIp: '' };
  for (const statusCode of [202, 429, 503])
    recordRequest('api', {
      ...request,
      response: { statusCode, headers: {}, body: Buffer.alloc(0) },
      latencyMs: 3,
      isIntegrated: false,
    });
  const recorded = take();
  for (const resource of ['ApiId,api', 'ApiId,api Stage,$default'])
    expect(recorded).toMatchObject({
      [`AWS/ApiGateway Count ${resource}`]: [1, 1, 1],
      [`AWS/ApiGateway 4xx ${resource}`]: [0, 1, 0],
      [`AWS/ApiGateway 5xx ${resource}`]: [0, 0, 1],
      [`AWS/ApiGateway Latency ${resource}`]: [3, 3, 3],
    });
  expect(Object.keys(recorded)).toHaveLength(8);
});

test.each([
  ['RUNNING', 'ExecutionsStarted'],
  ['SUCCEEDED', 'ExecutionsSucceeded'],
  ['FAILED', 'ExecutionsFailed'],
  ['TIMED_OUT', 'ExecutionsTimedOut'],
  ['ABORTED', 'ExecutionsAborted'],
] as const)('an execution that is %s counts for %s', (status, name) => {
  const { record, take } = startRecorder();
  const stoppedAt = status === 'RUNNING' ? undefined : 5_000;
  recordExecution(record)({
    executionArn: '',
    stateMachineArn: 'm',
    name: '',
    redriveCount: 0,
    input: '{}',
    status,
    startedAt: 2_000,
    ...(stoppedAt !== undefined && { stoppedAt }),
  });
  expect(take()).toEqual({
    [`AWS/States ${name} StateMachineArn,m`]: [1],
    ...(stoppedAt !== undefined && { 'AWS/States ExecutionTime StateMachineArn,m': [3_000] }),
  });
});

test('lines are counted once a minute', () => {
  const { onMinute, endMinute, take } = startRecorder();
  const count = countLines({ onMinute });
  count('group', 'äö');
  count('group', '');
  endMinute();
  expect(take()).toEqual({
    'AWS/Logs IncomingBytes LogGroupName,group': [2 * 26 + 4],
    'AWS/Logs IncomingLogEvents LogGroupName,group': [2],
  });
  endMinute();
  expect(take()).toEqual({});
});

test('a message in a queue gets older when the clock is advanced', () => {
  const { onMinute, endMinute, take } = startRecorder();
  const clock = createClock(() => 120_000);
  const depth: QueueDepth = { name: 'q', visible: 1, notVisible: 2, delayed: 3, sent: 4, oldestSentAtMs: 60_000 };
  measureQueues({ onMinute, clock }, () => [depth]);
  endMinute(120_000);
  const of = 'QueueName,q';
  expect(take()).toEqual({
    [`AWS/SQS NumberOfMessagesSent ${of}`]: [4],
    [`AWS/SQS ApproximateNumberOfMessagesVisible ${of}`]: [1],
    [`AWS/SQS ApproximateNumberOfMessagesNotVisible ${of}`]: [2],
    [`AWS/SQS ApproximateNumberOfMessagesDelayed ${of}`]: [3],
    [`AWS/SQS ApproximateAgeOfOldestMessage ${of}`]: [60],
  });
  clock.advance(600_000);
  endMinute(clock.now());
  expect(take()).toMatchObject({
    [`AWS/SQS NumberOfMessagesSent ${of}`]: [0],
    [`AWS/SQS ApproximateAgeOfOldestMessage ${of}`]: [660],
  });
});

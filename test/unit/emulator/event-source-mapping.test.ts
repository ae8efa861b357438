import { failedIds, startEventSourceMapping } from '../../../emulator/event-source-mapping';
import type { InvocationResult } from '../../../emulator/lambda/execution-environment';

const startedAt = Date.parse('2026-01-01');

beforeEach(() => jest.useFakeTimers({ now: startedAt }));
afterEach(() => jest.useRealTimers());

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a mapping for `ms` of the fake clock, then stops it. */
const runFor = async (ms: number, ...args: Parameters<typeof startEventSourceMapping>) => {
  const stop = startEventSourceMapping(...args);
  await jest.advanceTimersByTimeAsync(ms);
  const stopped = stop();
  await jest.advanceTimersByTimeAsync(1_000);
  await stopped;
};

const batch = [{ MessageId: 'a' }, { MessageId: 'b' }];

test.each<[string, string, string[]]>([
  ['nothing', '', []],
  ['null', 'null', []],
  ['an empty object', '{}', []],
  ['null instead of a list', '{"batchItemFailures":null}', []],
  ['an empty list', '{"batchItemFailures":[]}', []],
  ['one message', '{"batchItemFailures":[{"itemIdentifier":"b"}]}', ['b']],
  ['an unknown message', '{"batchItemFailures":[{"itemIdentifier":"c"}]}', ['a', 'b']],
  ['an empty identifier', '{"batchItemFailures":[{"itemIdentifier":""}]}', ['a', 'b']],
  ['a null identifier', '{"batchItemFailures":[{"itemIdentifier":null}]}', ['a', 'b']],
  ['a misspelled key', '{"batchItemFailures":[{"id":"a"}]}', ['a', 'b']],
  ['a JSON string', '"done"', ['a', 'b']],
  ['text that is not JSON', '{', ['a', 'b']],
])('a function that responds with %s (%s) fails the messages %j', (_what, payload, expected) => {
  expect([...failedIds(payload, batch)]).toEqual(expected);
});

const mappingOf = (more: {
  BatchSize: number;
  MaximumBatchingWindowInSeconds?: number;
  MaximumConcurrency?: number;
}) => ({
  EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:q',
  FunctionName: 'f',
  BatchSize: more.BatchSize,
  MaximumBatchingWindowInSeconds: more.MaximumBatchingWindowInSeconds ?? 0,
  ScalingConfig: { MaximumConcurrency: more.MaximumConcurrency },
  FunctionResponseTypes: ['ReportBatchItemFailures' as const],
  Enabled: true,
});

/** A queue with `count` messages and a function that takes `durationMs`; records what happens to them. */
const scenario = (
  count: number,
  durationMs: number,
  respond: (ids: string[]) => InvocationResult,
  traceOf: (index: number) => string | undefined = () => undefined,
) => {
  const messages = Array.from({ length: count }, (_, index) => ({
    MessageId: `m${index}`,
    ReceiptHandle: `r${index}`,
    Body: '',
    MD5OfBody: '',
    Attributes: { ...(traceOf(index) !== undefined && { AWSTraceHeader: traceOf(index) ?? '' }) },
    MessageAttributes: {},
  }));
  const deleted: string[] = [];
  const released: string[] = [];
  const batchSizes: number[] = [];
  const causes: (readonly string[])[] = [];
  let running = 0;
  let maxRunning = 0;
  return {
    deleted,
    released,
    batchSizes,
    causes,
    maxRunning: () => maxRunning,
    source: {
      async receive(max: number) {
        await sleep(2);
        return messages.splice(0, max);
      },
      delete: (handles: readonly string[]) => deleted.push(...handles),
      release: (handles: readonly string[]) => void released.push(...handles),
    },
    target: {
      maxConcurrency: 100,
      stopsLoop: (cause: string | undefined) => cause === 'a loop',
      async invoke(payload: string, invocationCauses: readonly string[] = []) {
        causes.push(invocationCauses);
        const ids: string[] = JSON.parse(payload).Records.map(({ messageId }: { messageId: string }) => messageId);
        batchSizes.push(ids.length);
        maxRunning = Math.max(maxRunning, ++running);
        await sleep(durationMs);
        running--;
        return respond(ids);
      },
    },
  };
};

test('the number of concurrent batches does not exceed the mapping’s maximum', async () => {
  const { source, target, deleted, maxRunning } = scenario(60, 20, () => ({ payload: 'null' }));
  await runFor(200, mappingOf({ BatchSize: 5, MaximumConcurrency: 3 }), source, target);
  expect(maxRunning()).toBe(3);
  expect(deleted).toHaveLength(60);
});

/** A message every `everyMs`, and a function that takes `durationMs`. */
const trickle = (everyMs: number, durationMs: number) => {
  const { source, ...others } = scenario(0, durationMs, () => ({ payload: 'null' }));
  let sent = 0;
  return {
    ...others,
    source: {
      ...source,
      async receive(max: number) {
        await sleep(1);
        const due = Math.floor(Date.now() / everyMs) - Math.floor(startedAt / everyMs) - sent;
        const count = Math.min(due, max);
        sent += count;
        return Array.from({ length: count }, (_, index) => ({
          MessageId: `m${sent - index}`,
          ReceiptHandle: `r${sent - index}`,
          Body: '',
          MD5OfBody: '',
          Attributes: {},
          MessageAttributes: {},
        }));
      },
    },
  };
};

test('messages that trickle in gather while a batch runs', async () => {
  const { source, target, batchSizes, maxRunning } = trickle(10, 50);
  await runFor(1_000, mappingOf({ BatchSize: 10 }), source, target);
  expect(batchSizes.slice(0, 3)).toEqual([1, 5, 5]);
  expect(maxRunning()).toBe(1);
});

test('messages do not wait for a slow batch longer than half a second', async () => {
  const { source, target, batchSizes, maxRunning } = trickle(100, 1_050);
  await runFor(1_200, mappingOf({ BatchSize: 10 }), source, target);
  expect(batchSizes).toEqual([1, 5, 5]);
  expect(maxRunning()).toBe(3);
});

test('a batching window collects more than ten messages', async () => {
  const { source, target, batchSizes } = scenario(45, 1, () => ({ payload: 'null' }));
  const mapping = mappingOf({ BatchSize: 20, MaximumBatchingWindowInSeconds: 0.1 });
  await runFor(300, mapping, source, target);
  expect(batchSizes).toEqual([20, 20, 5]);
});

test('failed messages stay in the queue: those reported, or the whole batch if the function fails', async () => {
  const { source, target, deleted, released } = scenario(20, 1, (ids) =>
    ids.includes('m0')
      ? { payload: JSON.stringify({ batchItemFailures: [{ itemIdentifier: 'm3' }] }) }
      : { payload: '{}', functionError: 'Unhandled' },
  );
  await runFor(50, mappingOf({ BatchSize: 10 }), source, target);
  expect(released).toEqual(['r3', ...Array.from({ length: 10 }, (_, index) => `r${index + 10}`)]);
  expect(deleted).toEqual(['r0', 'r1', 'r2', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
});

test('a message of a recursive loop fails without an invocation; the other messages of its batch are delivered', async () => {
  const traces = ['a loop', 'no loop', undefined];
  const { source, target, deleted, released, causes } = scenario(
    6,
    1,
    () => ({ payload: 'null' }),
    (index) => traces[index % 3],
  );
  await runFor(50, mappingOf({ BatchSize: 6 }), source, target);
  expect(causes).toEqual([['no loop', 'no loop']]);
  expect(deleted).toEqual(['r1', 'r2', 'r4', 'r5']);
  expect(released).toEqual(['r0', 'r3']);
});

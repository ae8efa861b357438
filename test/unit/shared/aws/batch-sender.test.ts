import { setImmediate as nextTick } from 'node:timers/promises';
import type { SendMessageBatchCommandOutput, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type BatchSender, createBatchSender } from '../../../../shared/aws/batch-sender';
import { fakeAwsClient } from '../../../support/aws-client';

const url = 'https://sqs.example/processing';
const inputSchema = z.object({
  QueueUrl: z.string(),
  Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })),
});
type Entries = z.output<typeof inputSchema>['Entries'];
type Response = Partial<SendMessageBatchCommandOutput>;

const accept = (entries: Entries): Response => ({
  Successful: entries.map(({ Id }) => ({ Id, MessageId: `message-${Id}`, MD5OfMessageBody: '' })),
});

/** A sender whose calls get the response of `respond`. `calls` returns the bodies of each call. */
const start = (respond: (entries: Entries) => Response = accept) => {
  const { client, inputs } = fakeAwsClient<SQSClient>((input) => respond(inputSchema.parse(input).Entries));
  const calls = () => inputs.map((input) => inputSchema.parse(input).Entries.map(({ MessageBody }) => MessageBody));
  return { sender: createBatchSender<unknown>(client, url), inputs, calls };
};

/** Sends messages concurrently, each after other work. */
const sendTogether = (sender: BatchSender<unknown>, messages: readonly unknown[]): Promise<void>[] =>
  messages.map((message) =>
    sender.during(async () => {
      await nextTick();
      await sender.send(message);
    }),
  );

const outcomesOf = async (sends: readonly Promise<void>[]): Promise<string[]> =>
  (await Promise.allSettled(sends)).map((sent) =>
    sent.status === 'fulfilled' ? 'accepted' : String(sent.reason.message),
  );

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

test('sends a message as JSON', async () => {
  const { sender, inputs } = start();
  await sender.send({ id: 1 });
  expect(inputs).toEqual([{ QueueUrl: url, Entries: [{ Id: '0', MessageBody: '{"id":1}' }] }]);
});

test('makes one call as soon as all work under way waits for it', async () => {
  const { sender, calls } = start();
  const first = Promise.withResolvers<void>();
  const slow = sender.during(async () => {
    await first.promise;
    await sender.send(2);
  });
  const fast = sender.during(() => sender.send(1));
  await nextTick();
  expect(calls()).toEqual([]);
  first.resolve();
  await Promise.all([slow, fast]);
  expect(calls()).toEqual([['1', '2']]);
});

test.each(['fails', 'ends without a message'])('does not wait for work that %s', async (how) => {
  const { sender, calls } = start();
  const ended = Promise.withResolvers<void>();
  const other = sender.during(() => ended.promise).catch((error: unknown) => error);
  const sent = sender.during(() => sender.send(1));
  await nextTick();
  expect(calls()).toEqual([]);
  if (how === 'fails') ended.reject(new Error('No order'));
  else ended.resolve();
  await Promise.all([other, sent]);
  expect(calls()).toEqual([['1']]);
});

test('waits at most 100 ms for slow work, and sends its message in a further call', async () => {
  const { sender, calls } = start();
  const held = Promise.withResolvers<void>();
  const slow = sender.during(async () => {
    await held.promise;
    await sender.send(2);
  });
  const fast = sender.during(() => sender.send(1));
  await jest.advanceTimersByTimeAsync(99);
  expect(calls()).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  await fast;
  held.resolve();
  await slow;
  expect(calls()).toEqual([['1'], ['2']]);
});

test('sends at most 10 messages in a call', async () => {
  const { sender, calls } = start();
  await Promise.all(sendTogether(sender, [...Array(23).keys()]));
  expect(calls().map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(calls().flat()).toEqual(Array.from({ length: 23 }, (_, index) => String(index)));
});

test('sends at most 1 MiB in a call', async () => {
  const { sender, calls } = start();
  const half = 'ü'.repeat(262_143);
  await Promise.all(sendTogether(sender, [half, half, half]));
  const sizes = calls().map((bodies) => bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0));
  expect(sizes).toEqual([1_048_576, 524_288]);
});

describe('a message is sent only if SQS accepted it', () => {
  const sendThree = (respond: (entries: Entries) => Response) => {
    const { sender } = start(respond);
    return outcomesOf(sendTogether(sender, [1, 2, 3]));
  };
  const without = ({ Successful = [] }: Response, id: string) => Successful.filter(({ Id }) => Id !== id);
  const failed = (Id: string, SenderFault = false) => ({ Id, SenderFault, Code: 'InternalError' });

  test.each([true, false])('a message that is refused fails, with SenderFault %s', async (senderFault) => {
    const respond = (entries: Entries) => ({
      Successful: without(accept(entries), '1'),
      Failed: [failed('1', senderFault)],
    });
    expect(await sendThree(respond)).toEqual(['accepted', 'SQS did not accept the message: InternalError', 'accepted']);
  });

  test('a message that the response does not mention fails', async () => {
    expect(await sendThree((entries) => ({ Successful: without(accept(entries), '2') }))).toEqual([
      ...['accepted', 'accepted'],
      'SQS did not accept the message: it is missing in the response',
    ]);
  });

  test('a message in both lists fails', async () => {
    const outcomes = await sendThree((entries) => ({ ...accept(entries), Failed: [failed('0')] }));
    expect(outcomes).toEqual(['SQS did not accept the message: InternalError', 'accepted', 'accepted']);
  });

  test('with an empty response, all messages fail', async () => {
    const missing = 'SQS did not accept the message: it is missing in the response';
    expect(await sendThree(() => ({}))).toEqual([missing, missing, missing]);
  });

  test('the error is retryable, as every fault of AWS', async () => {
    const { sender } = start(() => ({ Failed: [failed('0', true)] }));
    await expect(sender.send(1)).rejects.toMatchObject({ code: 'AWS_FAULT', retryable: true });
  });

  test('a failed call fails all of its messages, and no later one', async () => {
    const faults = [new Error('no such queue')];
    const { sender } = start((entries) => {
      const fault = faults.shift();
      if (fault) throw fault;
      return accept(entries);
    });
    expect(await outcomesOf(sendTogether(sender, [1, 2]))).toEqual(['no such queue', 'no such queue']);
    expect(await outcomesOf([sender.send(3)])).toEqual(['accepted']);
  });
});

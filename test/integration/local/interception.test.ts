import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Interception } from '../../../emulator/embedded-aws';
import { eventually, newStateDirectory, startFixture } from './fixture/start';

jest.setTimeout(60_000);

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  aws = await startFixture(stateDirectory, 'intercepted');
});
afterAll(async () => {
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

const post = async (order_id: string) => {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${aws.apiUrl}/orders`, { method: 'POST', headers, body: JSON.stringify({ order_id }) });
};
/** Posts an order whose `SendMessage` is cut. @returns the answer's status */
const postCut = async (order_id: string, by: Interception): Promise<number> => {
  await aws.ask({ cut: { operation: 'SendMessage', text: order_id, by } });
  return (await post(order_id)).status;
};
const arrives = (order_id: string) => eventually(() => aws.order(order_id));

const refusal = { status: 400, headers: { 'x-amzn-errortype': 'AccessDenied' }, body: '{}' };

// The SDK tries again what it can; what is left shows in the function's answer.
test.each<[string, Interception, number]>([
  ['the process is killed after', { when: 'after', does: 'kill' }, 500],
  ['the connection is reset before', { when: 'before', does: 'reset' }, 202],
  ['the connection is reset after', { when: 'after', does: 'reset' }, 202],
  ['another answer is given after', { when: 'after', does: refusal }, 500],
])('a call is cut, and the message sent: %s', async (name, by, status) => {
  const id = name.replaceAll(' ', '-');
  expect(await postCut(id, by)).toBe(status);
  await arrives(id);
});

test.each<[string, Interception, number]>([
  ['the process is killed before', { when: 'before', does: 'kill' }, 500],
  ['another answer is given before', { when: 'before', does: refusal }, 500],
])('a call is cut, and no message sent: %s', async (name, by, status) => {
  const id = name.replaceAll(' ', '-');
  expect(await postCut(id, by)).toBe(status);
  await post(`${id}-behind`);
  await arrives(`${id}-behind`);
  expect(await aws.order(id)).toBeUndefined();
});

test('every call is seen, with what it is about', async () => {
  await post('seen');
  await eventually(() => aws.order('seen'));
  const lines = readFileSync(path.join(stateDirectory, 'calls.ndjson'), 'utf8').trim().split('\n').sort();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      function: 'dev-marketplace-download',
      service: 'dynamodb',
      operation: 'PutItem',
      resource: aws.data.OrdersTableName,
    },
    {
      function: 'dev-marketplace-webhook',
      service: 'sqs',
      operation: 'SendMessage',
      resource: 'dev-marketplace-download',
    },
  ]);
});

test('the processes of a function are killed, also in the middle of an invocation; the next one gets a new one', async () => {
  const moods = (mood?: string) => aws.invoke('dev-marketplace-moods', { mood });
  const first = await moods();
  const interrupted = moods('sleep');
  expect(await aws.ask({ kill: 'dev-marketplace-moods' })).toBe('done');
  expect(await interrupted).toMatchObject({ functionError: 'Unhandled' });
  const second = await moods();
  expect(second.functionError).toBeNull();
  expect(second.payload.pid).not.toBe(first.payload.pid);
});

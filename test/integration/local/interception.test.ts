import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Interception } from '../../../local/aws/embedded-aws';
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
/** Posts an order whose `SendMessage` is cut. @returns the answer, and how often the message was sent in the end */
const postCut = async (order_id: string, by: Interception) => {
  await aws.ask({ cut: { operation: 'SendMessage', text: order_id, by } });
  const { status } = await post(order_id);
  // Whatever was sent before this order is in the table once this one is.
  await post(`${order_id}-behind`);
  await eventually(() => aws.order(`${order_id}-behind`));
  return { status, arrived: (await aws.order(order_id)) !== undefined };
};

const refusal = { status: 400, headers: { 'x-amzn-errortype': 'AccessDenied' }, body: '{}' };

// The SDK tries again what it can; what is left shows in the function's answer.
test.each<[string, Interception, { status: number; arrived: boolean }]>([
  ['the process is killed before', { when: 'before', does: 'kill' }, { status: 500, arrived: false }],
  ['the process is killed after', { when: 'after', does: 'kill' }, { status: 500, arrived: true }],
  ['the connection is reset before', { when: 'before', does: 'reset' }, { status: 202, arrived: true }],
  ['the connection is reset after', { when: 'after', does: 'reset' }, { status: 202, arrived: true }],
  ['another answer is given before', { when: 'before', does: refusal }, { status: 500, arrived: false }],
  ['another answer is given after', { when: 'after', does: refusal }, { status: 500, arrived: true }],
])('a call is cut: %s', async (name, by, outcome) => {
  expect(await postCut(name.replaceAll(' ', '-'), by)).toEqual(outcome);
});

test('every call is seen, with what it is about', async () => {
  await post('seen');
  await eventually(() => aws.order('seen'));
  const lines = readFileSync(path.join(stateDirectory, 'calls.ndjson'), 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      function: 'dev-marketplace-webhook',
      service: 'sqs',
      operation: 'SendMessage',
      resource: 'dev-marketplace-download',
    },
    {
      function: 'dev-marketplace-download',
      service: 'dynamodb',
      operation: 'PutItem',
      resource: aws.data.OrdersTableName,
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

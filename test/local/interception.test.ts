import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Interception } from '../../emulator/embedded-aws';
import { eventually, newStateDirectory, startFixture } from './fixture/start';

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
/** Posts an order and interrupts its `SendMessage`. @returns the status of the response */
const postInterrupted = async (order_id: string, interception: Interception): Promise<number> => {
  await aws.request({ interrupt: { operation: 'SendMessage', text: order_id, interception } });
  return (await post(order_id)).status;
};
const waitForOrder = (order_id: string) => eventually(() => aws.order(order_id));

const refusal = { status: 400, headers: { 'x-amzn-errortype': 'AccessDenied' }, body: '{}' };

// The SDK retries a reset connection. Other failures reach the function's response.
test.each<[string, Interception, number]>([
  ['killing the process after it', { when: 'after', does: 'kill' }, 500],
  ['resetting the connection before it', { when: 'before', does: 'reset' }, 202],
  ['resetting the connection after it', { when: 'after', does: 'reset' }, 202],
  ['replacing its response', { when: 'after', does: refusal }, 500],
])('an interrupted call sends its message: %s', async (name, interception, status) => {
  const id = name.replaceAll(' ', '-');
  expect(await postInterrupted(id, interception)).toBe(status);
  await waitForOrder(id);
});

test.each<[string, Interception, number]>([
  ['killing the process before it', { when: 'before', does: 'kill' }, 500],
  ['responding in place of the server', { when: 'before', does: refusal }, 500],
])('an interrupted call sends no message: %s', async (name, interception, status) => {
  const id = name.replaceAll(' ', '-');
  expect(await postInterrupted(id, interception)).toBe(status);
  await post(`${id}-next`);
  await waitForOrder(`${id}-next`);
  expect(await aws.order(id)).toBeUndefined();
});

test('every call is intercepted, with its service, operation and resource', async () => {
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

test('a kill of a function ends its processes, also during an invocation; the next invocation gets a new process', async () => {
  const behaviors = (behavior?: string) => aws.invoke('dev-marketplace-behaviors', { behavior });
  const first = await behaviors();
  const interrupted = behaviors('sleep');
  expect(await aws.request({ kill: 'dev-marketplace-behaviors' })).toBe('done');
  expect(await interrupted).toMatchObject({ functionError: 'Unhandled' });
  const second = await behaviors();
  expect(second.functionError).toBeNull();
  expect(second.payload.pid).not.toBe(first.payload.pid);
});

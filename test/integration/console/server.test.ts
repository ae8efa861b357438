import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { type RunningConsole, startConsole } from '../../../ops/console/server/start';
import { connectToStage } from '../../../ops/services/stage-connection';
import { nowMs, startStage, type TestStage } from '../ops/operators';

let stage: TestStage;
let console: RunningConsole;
let origin: string;
let cookie: string;
beforeAll(async () => {
  stage = await startStage();
  // No functions: the status then lacks them.
  stage.announce({ endpoints: { ...stage.endpoints, lambda: stage.workflows.url } });
  const connection = await connectToStage({ stage: 'dev', localStateDirectory: stage.localStateDirectory });
  console = await startConsole(
    { stage: connection, stageLabel: 'dev', stageCommand: 'pipeline --local', now: () => nowMs, write: false },
    0,
  );
  ({ origin } = new URL(console.signInUrl));
  const refused = await fetch(`${origin}/sign-in?token=wrong`, { redirect: 'manual' });
  expect(refused.status).toBe(401);
  const { headers, status } = await fetch(console.signInUrl, { redirect: 'manual' });
  expect(status).toBe(302);
  cookie = headers.get('set-cookie')?.replace(/;.*/, '') ?? '';
  expect(headers.get('set-cookie')).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
});
afterAll(async () => {
  await console.stop();
  await stage.stop();
});

/** `fetch` does not send a Host of its own. */
const call = (path: string, headers: Readonly<Record<string, string>>, method = 'GET') =>
  new Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>((resolve, reject) => {
    const sent = request(`${origin}${path}`, { method, headers }, async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: await text(response) });
    });
    sent.once('error', reject);
    sent.end();
  });

const errorSchema = z.strictObject({
  error: z.strictObject({ kind: z.string(), message: z.string(), faults: z.array(z.string()) }),
});
const kindOf = (body: string): string => errorSchema.parse(JSON.parse(body)).error.kind;

test('shows the session to the browser that has the cookie', async () => {
  const { status, text: body } = await call('/api/session', { cookie });
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ stage: 'dev', local: true, write: false, command: 'pipeline --local' });
});

test('the address works once', async () => {
  const again = await fetch(console.signInUrl, { redirect: 'manual' });
  expect(again.status).toBe(401);
  expect(again.headers.get('set-cookie')).toBeNull();
  const sameBrowser = await fetch(console.signInUrl, { redirect: 'manual', headers: { cookie } });
  expect(sameBrowser.status).toBe(302);
});

test.each([
  ['without a cookie', {}, 'GET', 401, 'signed-out'],
  ['with a wrong cookie', { cookie: 'pipeline-console=wrong' }, 'GET', 401, 'signed-out'],
  ['by another name of this machine', { host: 'attacker.example' }, 'GET', 403, 'foreign'],
  ['from another site', { origin: 'https://attacker.example' }, 'GET', 403, 'foreign'],
  ['from a page without an origin', { origin: 'null' }, 'POST', 403, 'foreign'],
  ['without an origin, to change something', {}, 'POST', 403, 'foreign'],
])('refuses a request %s', async (_, headers, method, expected, kind) => {
  const { status, text: body } = await call('/api/session', headers, method);
  expect(status).toBe(expected);
  expect(kindOf(body)).toBe(kind);
});

test('a resource that does not exist has the same error shape', async () => {
  const { status, text: body } = await call('/api/nothing', { cookie });
  expect([status, kindOf(body)]).toEqual([404, 'absent']);
});

test.each(['/', '/orders/QO-1'])('serves the pages at %s, which load nothing from elsewhere', async (path) => {
  const { status, headers, text: html } = await call(path, {});
  expect(status).toBe(200);
  expect(headers['content-security-policy']).toMatch(/^default-src 'self';/);
  expect(headers).toMatchObject({
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  const files = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, file = '']) => file);
  expect(files).toHaveLength(3);
  for (const file of files) expect((await call(file, {})).status).toBe(200);
  expect(html).not.toMatch(/<script(?! type="module" src=)|<style/);
});

test('a document is live as an event stream', async () => {
  const response = await fetch(`${origin}/api/tasks`, { headers: { cookie, accept: 'text/event-stream' } });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let received = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    received += chunk;
    if (received.includes('data')) break;
  }
  expect(received).toBe(': open\n\nevent: document\ndata: []\n\n');
});

test('shows the state of the stage, with the last hour in bins', async () => {
  stage.logs.webhook.write(nowMs - 60_000, {
    message: 'webhook accepted',
    service: 'webhook',
    status: 'NOTIFIED',
    order_id: 'QO-1',
  });
  const { text: body } = await call('/api/status', { cookie });
  const { activity, bins, drains } = JSON.parse(body);
  expect(activity.last_hour.webhooks).toBe(1);
  expect(bins).toHaveLength(13);
  expect(bins.map(({ webhooks }: { webhooks: number }) => webhooks).indexOf(1)).toBe(11);
  expect(drains).toEqual([
    { queue: 'download', seconds: 0 },
    { queue: 'processing', seconds: 0 },
  ]);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import type { ListeningServer } from './fixture/servers';

const stateDirectory = mkdtempSync(path.join(tmpdir(), 'untrusted-callers-'));
let child: ChildProcess;
let servers: readonly ListeningServer[];

beforeAll(async () => {
  child = spawn(process.execPath, ['--import', 'tsx', path.join(__dirname, 'fixture/servers.ts'), stateDirectory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: `--require ${path.join(__dirname, 'fixture/announce-servers.cjs')}` },
  });
  [servers] = await once(child, 'message');
});
afterAll(async () => {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
  rmSync(stateDirectory, { recursive: true });
});

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Received {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a request. `Host` comes from the address by default. */
const call = async (port: number, { method = 'POST', path = '/', headers, body = '{}' }: Call): Promise<Received> => {
  const hasBody = method === 'POST' || method === 'PUT';
  const request = sendRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
  request.end(hasBody ? body : undefined);
  const [response] = await once(request, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
};

const corsHeaders = (headers: IncomingHttpHeaders) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

const refused = (message: RegExp) => ({
  status: 403,
  cors: [],
  body: expect.objectContaining({ message: expect.stringMatching(message) }),
});

const sendUntrusted = async (server: ListeningServer, attempt: Call) => {
  const { status, headers, body } = await call(server.port, attempt);
  return { status, cors: corsHeaders(headers), body: JSON.parse(body) as unknown };
};

test('the tests below cover every kind of server', () => {
  const names = servers.map(({ name }) => name);
  const known = ['dynamodb', 'sqs', 'secretsmanager', 'lambda', 'sfn', 'logs', 'cloudwatch', 'api'];
  expect(names).toEqual(
    expect.arrayContaining([...known, 'qualia', 'internalApi', 'netlife', 'iterable', 'of a function']),
  );
});

test('every server listens on the loopback interface only', () => {
  expect(new Set(servers.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
});

const untrustedHosts = [
  'evil.example',
  'evil.example:80',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'notlocalhost',
  '127.0.0.1@evil.example',
  '0.0.0.0',
  '192.168.1.7',
  '[::2]',
];

test.each(untrustedHosts)('every server rejects a request for the host "%s"', async (host) => {
  for (const server of servers) {
    for (const method of ['GET', 'POST', 'PUT', 'OPTIONS']) {
      const received = await sendUntrusted(server, { method, headers: { host } });
      expect({ server, ...received }).toEqual({ server, ...refused(/Host header/) });
    }
  }
});

test('every server rejects a request without a host', async () => {
  for (const server of servers) {
    const socket = connect(server.port, '127.0.0.1').setNoDelay();
    socket.write('POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}');
    expect((await buffer(socket)).toString()).toMatch(/^HTTP\/1\.1 403 /);
  }
});

const crossSite: [string, Call][] = [
  ['a form', { headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' } }],
  ['a simple POST', { headers: { origin: 'https://evil.example', 'content-type': 'text/plain' } }],
  ['a sandboxed frame', { headers: { origin: 'null', 'content-type': 'text/plain' } }],
  ['a page of another local server', { headers: { origin: 'http://localhost:3000', 'content-type': 'text/plain' } }],
  ['an empty origin', { headers: { origin: '' } }],
  ['a fetch', { method: 'GET', headers: { origin: 'https://evil.example' } }],
  [
    'a preflight',
    {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-amz-target,content-type',
      },
    },
  ],
  ['an image', { method: 'GET', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }],
  ['a script of another port', { method: 'GET', headers: { 'sec-fetch-site': 'same-site' } }],
];

test.each(crossSite)('every server rejects %s of a web page', async (_name, attempt) => {
  for (const server of servers) {
    const received = await sendUntrusted(server, attempt);
    expect({ server, ...received }).toEqual({ server, ...refused(/Web pages/) });
  }
});

test.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]', 'a-bucket.localhost'])(
  'every server accepts programs that call it %s',
  async (name) => {
    for (const server of servers.filter(({ name }) => name !== 'of a function')) {
      const received = await call(server.port, { headers: { host: `${name}:${server.port}` } });
      expect({ server, status: received.status }).not.toEqual({ server, status: 403 });
    }
  },
);

const portOf = (name: string) => servers.find((server) => server.name === name)?.port ?? 0;

test('a web page cannot invoke a function, not even with a GET', async () => {
  const path = '/2015-03-31/functions/dev-marketplace-webhook/invocations';
  const posted = await call(portOf('lambda'), {
    path,
    headers: { origin: 'https://evil.example', 'content-type': 'text/plain' },
  });
  // A GET without `Sec-Fetch-Site`, like an image in an old browser.
  const loaded = await call(portOf('lambda'), { path, method: 'GET' });
  expect([posted.status, loaded.status]).toEqual([403, 404]);
});

test('a secret is not read through DNS rebinding', async () => {
  const received = await call(portOf('secretsmanager'), {
    headers: {
      host: `rebound.example:${portOf('secretsmanager')}`,
      'x-amz-target': 'secretsmanager.GetSecretValue',
      'content-type': 'application/x-amz-json-1.1',
    },
    body: '{"SecretId":"dev-webhook-secret"}',
  });
  expect(received).toMatchObject({ status: 403, body: expect.not.stringContaining('SecretString') });
});

import * as z from 'zod';
import { bearer, type Simulator, startSimulator } from '../../../../local/simulators/simulator';

let simulator: Simulator;
let handled: string[];

beforeEach(async () => {
  handled = [];
  simulator = await startSimulator({
    admits: bearer({ token: 'key' }),
    facts: { path: z.string(), half: z.enum(['first', 'second']) },
    read: ({ path, body }) => ({
      facts: { path },
      answer: () => {
        handled.push(body);
        return { status: 200, body: { path } };
      },
    }),
    faultAnswers: { teapot: () => ({ status: 418, body: 'short and stout' }) },
    control: { 'GET /things/:id': ({ id }) => ({ status: 200, body: { id } }) },
  });
});

afterEach(() => simulator.stop());

const call = (path = '/a', body = 'hello') =>
  fetch(`${simulator.origin}${path}`, { method: 'POST', body, headers: { authorization: 'Bearer key' } });
const control = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

test('listens only on the loopback address, and responds through `read`', async () => {
  expect(simulator.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await call();
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({ path: '/a' });
});

test('refuses an unknown caller without handling the request', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    const response = await fetch(simulator.origin, { method: 'POST', body: 'x', headers });
    expect(response.status).toBe(401);
  }
  expect(handled).toEqual([]);
});

test('refuses a body over 8 MiB and stays up', async () => {
  expect((await call('/a', 'x'.repeat(8 * 1024 * 1024 + 1))).status).toBe(413);
  expect((await call()).status).toBe(200);
});

test('responds 500 if the simulator itself has a bug', async () => {
  const broken = await startSimulator({
    admits: () => true,
    facts: {},
    read: () => {
      throw new Error('a bug');
    },
  });
  const response = await fetch(broken.origin);
  expect([response.status, await response.json()]).toEqual([500, { error: 'simulator_bug', message: 'Error: a bug' }]);
  await broken.stop();
});

describe('faults', () => {
  test.each([
    ['rate_limited', 429],
    ['server_error', 503],
    ['client_error', 400],
    ['not_found', 404],
    ['teapot', 418],
  ])('%s responds %i without handling the request', async (kind, status) => {
    await control('PUT', '/faults', [{ kind }]);
    expect((await call()).status).toBe(status);
    expect(handled).toEqual([]);
  });

  test('can set status, body and Retry-After', async () => {
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    await control('PUT', '/faults', [
      { kind: 'rate_limited', retry_after: 7, times: 1 },
      { kind: 'server_error', retry_after: date, status: 500, body: 'boom' },
    ]);
    expect((await call()).headers.get('retry-after')).toBe('7');
    const second = await call();
    expect([second.status, second.headers.get('retry-after'), await second.text()]).toEqual([500, date, 'boom']);
  });

  test('garbage is a 200 that is not JSON', async () => {
    await control('PUT', '/faults', [{ kind: 'garbage' }]);
    const response = await call();
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow('not valid JSON');
  });

  test('hang_up closes the connection before the request is handled, lost_answer afterwards', async () => {
    await control('PUT', '/faults', [{ kind: 'hang_up', times: 1 }, { kind: 'lost_answer' }]);
    await expect(call()).rejects.toThrow();
    expect(handled).toEqual([]);
    await expect(call()).rejects.toThrow();
    expect(handled).toEqual(['hello']);
  });

  test('slow waits, and then responds as usual', async () => {
    await control('PUT', '/faults', [{ kind: 'slow', latency_ms: 60 }]);
    const startedMs = performance.now();
    expect((await call()).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(55);
  });

  test('affect only matching requests, for the given number of times, in the order of the list', async () => {
    await control('PUT', '/faults', [
      { kind: 'server_error', match: { path: '/b' }, times: 2 },
      { kind: 'teapot', match: { path: '/b' }, times: 1 },
    ]);
    const statuses: number[] = [];
    for (const path of ['/a', '/b', '/b', '/b', '/b']) statuses.push((await call(path)).status);
    expect(statuses).toEqual([200, 503, 503, 418, 200]);
    const { body } = await control('GET', '/faults');
    expect(body).toMatchObject([
      { kind: 'server_error', hits: 2 },
      { kind: 'teapot', hits: 1 },
    ]);
    await control('DELETE', '/faults');
    expect((await control('GET', '/faults')).body).toEqual([]);
  });

  test('with a probability affect the same calls for the same seed', async () => {
    const run = async (seed: number) => {
      await control('PUT', '/faults', [{ kind: 'server_error', probability: 0.5, seed }]);
      const statuses: number[] = [];
      for (let at = 0; at < 20; at += 1) statuses.push((await call()).status);
      return statuses;
    };
    const first = await run(4);
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await run(4)).toEqual(first);
    expect(await run(5)).not.toEqual(first);
  });

  test('that are invalid are refused with all errors at once, and change nothing', async () => {
    await control('PUT', '/faults', [{ kind: 'teapot' }]);
    const { status, body } = await control('PUT', '/faults', [
      { kind: 'nonsense', times: 0, retry_after: 'soon' },
      { kind: 'slow', probability: 2, unknown: 1 },
    ]);
    expect(status).toBe(422);
    const paths = body.details.map(({ path }: { path: string }) => path);
    expect(paths.sort()).toEqual(['0.kind', '0.retry_after', '0.times', '1', '1.probability']);
    expect((await call()).status).toBe(418);
  });

  test('that could never match are refused, with the known names', async () => {
    const response = await control('PUT', '/faults', [
      { kind: 'teapot', match: { order_id: 'QO-1', path: '/a' } },
      { kind: 'teapot', match: { half: 'third' } },
    ]);
    expect(response).toEqual({
      status: 422,
      body: {
        error: 'validation_failed',
        details: [
          { path: '0.match', message: 'unknown fact order_id; requests here have path, half' },
          { path: '1.match.half', message: 'Invalid option: expected one of "first"|"second"' },
        ],
      },
    });
    expect((await control('GET', '/faults')).body).toEqual([]);
  });
});

describe('control', () => {
  test('lists the received requests by fact, without credentials', async () => {
    await control('PUT', '/faults', [{ kind: 'hang_up', match: { path: '/b' } }]);
    await call('/a?x=1', 'one');
    await call('/b').catch(() => undefined);
    const { body } = await control('GET', '/requests');
    expect(body).toMatchObject({
      total: 2,
      statuses: { 200: 1, hung_up: 1 },
      requests: [
        { method: 'POST', path: '/a', query: 'x=1', body: 'one', status: 200, fault: null },
        { path: '/b', status: null, fault: 'hang_up' },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('Bearer');
    expect((await control('GET', '/requests?path=/b')).body.requests).toHaveLength(1);
    expect((await control('GET', '/requests?order_id=QO-1')).status).toBe(422);
    expect((await control('DELETE', '/requests')).body).toEqual({ total: 0, statuses: {}, requests: [] });
  });

  test('keeps the newest 1,000 requests, oldest first, and counts all', async () => {
    for (let at = 0; at < 1_010; at += 1) await call('/a', String(at));
    const { body } = await control('GET', '/requests');
    expect(body.total).toBe(1_010);
    expect(body.requests).toHaveLength(1_000);
    expect([body.requests[0].body, body.requests.at(-1).body]).toEqual(['10', '1009']);
  });

  test('sets the latency', async () => {
    expect((await control('PUT', '/latency', { latency_ms: 60 })).status).toBe(200);
    const startedMs = performance.now();
    await call();
    expect(performance.now() - startedMs).toBeGreaterThan(55);
  });

  test.each([
    ['PUT', '/latency', '{', 400],
    ['PUT', '/latency', { latency_ms: -1 }, 422],
    ['GET', '/nothing', undefined, 404],
    ['GET', '/things/1/2', undefined, 404],
    ['GET', '/things', undefined, 404],
  ])('%s %s with %j gets %i', async (method, path, body, status) => {
    expect((await control(method, path, body)).status).toBe(status);
  });

  test("serves the simulator's own routes", async () => {
    expect((await control('GET', '/things/a%20b')).body).toEqual({ id: 'a b' });
  });
});

test('stops immediately despite waits and open connections, and can be stopped twice', async () => {
  await control('PUT', '/latency', { latency_ms: 600_000 });
  const waiting = call().catch(() => 'cut off');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await simulator.stop();
  await simulator.stop();
  expect(await waiting).toBe('cut off');
  await expect(call()).rejects.toThrow();
});

test('rejects if its port is taken', async () => {
  const port = Number(new URL(simulator.origin).port);
  await expect(
    startSimulator({
      port,
      admits: () => true,
      facts: {},
      read: () => ({ facts: {}, answer: () => ({ status: 200, body: '' }) }),
    }),
  ).rejects.toThrow('EADDRINUSE');
});

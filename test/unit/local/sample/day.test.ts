import { Webhook } from 'standardwebhooks';
import { mixedDay } from '../../../../local/sample/day';
import { orderStories } from '../../../../local/sample/stories';
import { signedHeaders } from '../../../../samples/authentication';
import { badCalls } from '../../../../samples/bad-calls';

const nowMs = Date.UTC(2026, 10, 23, 12);
const day = mixedDay({ seed: 1, nowMs });
const orderCalls = day.calls.filter(({ orderId }) => orderId !== undefined);

test('is the same for the same input, and different for another seed', () => {
  expect(mixedDay({ orders: 300, seed: 1, nowMs })).toEqual(day);
  expect(mixedDay({ seed: 2, nowMs }).calls).not.toEqual(day.calls);
});

test('has the given number of orders, each with an outcome and a call', () => {
  for (const count of [1, 2, 30, 300, 5_000]) {
    const { expected, calls } = mixedDay({ orders: count, seed: 3, nowMs });
    expect(Object.keys(expected)).toHaveLength(count);
    expect(new Set(calls.flatMap(({ orderId }) => orderId ?? []))).toEqual(new Set(Object.keys(expected)));
  }
});

test('contains every story and every bad call', () => {
  const names = day.calls.map(({ name }) =>
    name.replace(/^order \d+ |^bad call: /, '').replace(/ \(\d of \d\)$| \d+$/, ''),
  );
  const expectedNames = [...orderStories, ...badCalls].map(({ name }) => name);
  expect(new Set(names)).toEqual(new Set([...expectedNames, 'plain notification', 'plain activity']));
});

test('the share of orders that fail is the sum of the shares of their stories', () => {
  const { expected } = mixedDay({ orders: 5_000, seed: 1, nowMs });
  const failed = Object.values(expected).filter(({ outcome }) => outcome === 'FAILED');
  const share = orderStories.filter(({ outcome }) => outcome === 'FAILED').reduce((sum, story) => sum + story.share, 0);
  expect(failed).toHaveLength(5_000 * share);
});

test('call names are unique, and each call comes after the call of the same order that it waits for', () => {
  const seen = new Map<string, string | undefined>();
  for (const call of day.calls) {
    expect(seen.has(call.name)).toBe(false);
    if (call.after !== undefined) expect([true, seen.get(call.after)]).toEqual([seen.has(call.after), call.orderId]);
    seen.set(call.name, call.orderId);
  }
  const perOrder = Map.groupBy(orderCalls, ({ orderId }) => orderId);
  for (const calls of perOrder.values()) {
    expect(calls.slice(1).map(({ after }) => after)).toEqual(calls.slice(0, -1).map(({ name }) => name));
  }
});

test('the expected responses to notifications follow from their times', () => {
  const newest = new Map<string, number>();
  let answers = '';
  for (const { orderId = '', body, expectedAnswer } of orderCalls) {
    const { timestamp } = JSON.parse(body);
    if (timestamp === undefined) {
      expect(expectedAnswer).toBe('queued');
      continue;
    }
    const atMs = Date.parse(timestamp);
    const newestMs = newest.get(orderId) ?? Number.NEGATIVE_INFINITY;
    expect(expectedAnswer).toBe(atMs > newestMs ? 'queued' : atMs === newestMs ? 'duplicate' : 'stale');
    expect(atMs).toBeLessThan(nowMs);
    newest.set(orderId, Math.max(atMs, newestMs));
    answers += expectedAnswer;
  }
  expect(answers).toMatch(/duplicate.*stale|stale.*duplicate/);
});

test('both shapes and both kinds of authentication occur; notifications only name QO- IDs', () => {
  const kinds = orderCalls.map(
    ({ body, authentication }) =>
      `${body.includes('notification_type') ? 'notification' : 'activity'} ${authentication}`,
  );
  expect(new Set(kinds)).toEqual(
    new Set(['notification basic', 'notification signature', 'activity basic', 'activity signature']),
  );
  for (const { body, orderId } of orderCalls) if (body.includes('notification_type')) expect(orderId).toMatch(/^QO-/);
});

test('each fault affects one order; permanent ones belong to orders that fail', () => {
  expect(day.faults.internalApi.length).toBeGreaterThan(0);
  for (const { match, times } of [...day.faults.qualia, ...day.faults.internalApi]) {
    const orderId = match?.order_id ?? '';
    expect(day.expected[orderId]?.outcome).toBe(times === undefined ? 'FAILED' : 'PROCESSED');
  }
  const served = new Set(day.orders.map(({ _id }) => _id));
  const missing = Object.entries(day.expected).filter(([id]) => !served.has(id));
  expect(new Set(missing.map(([, { errorCode }]) => errorCode))).toEqual(new Set(['ORDER_NOT_FOUND']));
});

test('bad calls cover each refusal of the contract and contain no order id of the day', () => {
  const bad = day.calls.filter(({ orderId }) => orderId === undefined);
  expect(new Set(bad.map(({ expectedStatus }) => expectedStatus))).toEqual(
    new Set([400, 401, 404, 405, 413, 415, 422]),
  );
  for (const { body } of bad) for (const id of Object.keys(day.expected)) expect(body.includes(id)).toBe(false);
  expect(bad.find(({ expectedStatus }) => expectedStatus === 413)?.body.length).toBeGreaterThan(256 * 1024);
});

test('without stories and bad calls, has only plain orders', () => {
  const { calls, expected, faults } = mixedDay({ orders: 50, seed: 1, nowMs, stories: [], bad: [] });
  expect(calls).toHaveLength(50);
  expect(faults).toEqual({ qualia: [], internalApi: [] });
  expect(Object.values(expected).every(({ outcome }) => outcome === 'PROCESSED')).toBe(true);
});

describe('authentication', () => {
  const secret = {
    basic: [{ username: 'qualia', password: 'pass' }],
    signing_secrets: ['whsec_c2FtcGxlIHNlY3JldCBvZiAyNCBieXRlcyE='],
  };
  const call = (authentication: 'basic' | 'signature' | 'none' | 'wrong') => ({
    name: 'order 1 – ü',
    method: 'POST',
    path: '/',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
    authentication,
    expectedStatus: 200,
  });

  test('by Basic: right, wrong and missing', () => {
    expect(signedHeaders(call('basic'), secret, nowMs).authorization).toBe('Basic cXVhbGlhOnBhc3M=');
    expect(signedHeaders(call('wrong'), secret, nowMs).authorization).not.toBe('Basic cXVhbGlhOnBhc3M=');
    expect(signedHeaders(call('none'), secret, nowMs)).toEqual({ 'content-type': 'application/json' });
  });

  test('by a valid signature', () => {
    const headers = signedHeaders(call('signature'), secret, Date.now());
    expect(new Webhook(secret.signing_secrets[0] ?? '').verify('{"a":1}', headers)).toEqual({ a: 1 });
    expect(headers['webhook-id']).toMatch(/^[\w-]+$/);
  });

  test.each(['basic', 'signature'] as const)('by %s needs a credential of that kind', (authentication) => {
    expect(() => signedHeaders(call(authentication), { basic: [], signing_secrets: [] }, nowMs)).toThrow(
      'webhook secret has no',
    );
  });
});

import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { type IterableSimulator, startIterableSimulator } from '../../../../local/simulators/iterable';
import { createPace } from '../../../../shared/http/pace';
import { createIterableClient, type IterableClient } from '../../../../shared/iterable/client';
import { type PushMode, pushUsers } from '../../../../shared/iterable/push';
import { type CallResult, KeyRefusedError } from '../../../../shared/iterable/responses';
import type { IterableUser } from '../../../../shared/iterable/rows';
import { secretOf } from '../../../support/secrets';
import { unconfigured } from '../../../support/unconfigured';
import { collect, stream, user, users } from './sample';

const keys = { api_key: 'key', jwt_secret: 'secret' };
const unlimited = { 'users/update': 1e6, 'users/bulkUpdate': 1e6, 'events/track': 1e6, 'events/trackBulk': 1e6 };
const unpaced = { updateUser: 1e6, updateUsers: 1e6, trackEvent: 1e6, trackEvents: 1e6 };
const context = { deadlineMs: Number.POSITIVE_INFINITY, onRetry: unconfigured('onRetry') };

let iterable: IterableSimulator;
let client: IterableClient;

const connect = (useJwt: boolean) =>
  createIterableClient({
    baseUrl: iterable.url,
    credential: secretOf(keys),
    useJwt,
    now: Date.now,
    callsPerSecond: unpaced,
  });

beforeEach(async () => {
  iterable = await startIterableSimulator({ credentials: keys, limits: unlimited });
  client = connect(false);
});
afterEach(async () => {
  await client.close();
  await iterable.stop();
});

const control = async (path: string, method = 'GET', body?: unknown) => {
  const response = await fetch(iterable.controlUrl + path, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return JSON.parse(await response.text());
};
const push = (given: Iterable<IterableUser>, mode: PushMode, iterableClient: IterableClient | undefined = client) =>
  collect(pushUsers(stream(given), { mode, client: iterableClient, context, now: () => 0 }));
const outcomes = (results: Awaited<ReturnType<typeof push>>) =>
  results.map(({ record: { email, users_update, events_track, overall_success } }) => [
    email.replace('@example.com', ''),
    users_update.response.code,
    events_track.response.code,
    overall_success,
  ]);

describe.each(['single', 'bulk'] as const)('%s', (mode) => {
  test('every user and event arrives once, as defined by the Swagger file', async () => {
    const given = users(mode === 'single' ? 50 : 2_500);
    const results = await push(given, mode);
    expect(results.map(({ record }) => record.email)).toEqual(given.map(({ email }) => email));
    expect(results.every(({ record, failedRow }) => record.overall_success && failedRow === undefined)).toBe(true);
    expect(results[0]?.record).toEqual({
      email: 'user1@example.com',
      timestamp: '1970-01-01T00:00:00.000Z',
      users_update: { success: true, response: { code: 'Success', msg: '' } },
      events_track: { success: true, response: { code: 'Success', msg: '' } },
      overall_success: true,
    });
    expect(await control('/arrivals')).toMatchObject({
      users: given.length,
      events: given.length,
      most_updates_of_a_user: 1,
      most_tracks_of_an_event: 1,
    });
    expect(await control('/users/user7%40example.com')).toEqual({
      email: 'user7@example.com',
      updates: 1,
      data_fields: {
        first_name: 'Maria',
        last_name: 'Sample',
        plan_type: 'pro',
        candidate: 'Northwind Title',
        recent_page_view: true,
      },
      events: [
        {
          id: 'page_view:7:pricing:1795168953',
          name: 'page_view',
          created_at: 1795168953,
          tracks: 1,
          data_fields: {
            page: 'pricing',
            location: 'New York, NY',
            candidate: 'Northwind Title',
            browser: 'desktop',
            timestamp: '2026-11-20 10:02:33',
          },
        },
      ],
    });
  });

  test('a second run tracks no event twice', async () => {
    await push(users(3), mode);
    await push(users(3), mode);
    expect(await control('/arrivals')).toMatchObject({ users: 3, events: 3, most_tracks_of_an_event: 2 });
  });

  test('a refused key ends the run immediately', async () => {
    await control('/faults', 'PUT', [{ kind: 'bad_api_key' }]);
    await expect(push(users(5_000), mode)).rejects.toThrow(KeyRefusedError);
    expect((await control('/requests')).total).toBeLessThanOrEqual(900);
  });

  test('stops reading when the consumer stops', async () => {
    let read = 0;
    const endless = (async function* () {
      for (;;) yield user(++read);
    })();
    for await (const _ of pushUsers(endless, { mode, client, context, now: Date.now })) break;
    expect(read).toBeLessThanOrEqual(mode === 'single' ? 6_000 : 101_000);
  });
});

const tagged = (id: number, tag: string) => user(id, { email: `user${id}${tag}@example.com` });

test("single: reports each user's failure, and sends no event without a profile", async () => {
  const given = [tagged(1, ''), tagged(2, '+forgotten'), tagged(3, '+notfound'), tagged(4, '+mismatch')];
  const results = await push(given, 'single');
  expect(outcomes(results)).toEqual([
    ['user1', 'Success', 'Success', true],
    ['user2+forgotten', 'ForgottenUserError', 'NotSent', false],
    ['user3+notfound', 'Success', 'UnknownEmailError', false],
    ['user4+mismatch', 'RequestFieldsTypesMismatched', 'NotSent', false],
  ]);
  expect(results.map(({ failedRow }) => failedRow?.id)).toEqual([undefined, '2', '3', '4']);
  expect((await control('/arrivals')).calls['events/track'].calls).toBe(2);
});

test("bulk: reports each user's failure, and sends no event without a profile", async () => {
  const given = ['', '+forgotten', '+notfound', '+invalid', '+conflict', '+invaliddata', '+mismatch', ''].map(
    (tag, index) => tagged(index, tag),
  );
  expect(outcomes(await push(given, 'bulk'))).toEqual([
    ['user0', 'Success', 'Success', true],
    ['user1+forgotten', 'forgottenEmails', 'NotSent', false],
    ['user2+notfound', 'Success', 'notFoundEmails', false],
    ['user3+invalid', 'invalidEmails', 'NotSent', false],
    ['user4+conflict', 'conflictEmails', 'NotSent', false],
    ['user5+invaliddata', 'invalidDataEmails', 'NotSent', false],
    ['user6+mismatch', 'RequestFieldsTypesMismatched', 'NotSent', false],
    ['user7', 'Success', 'Success', true],
  ]);
  expect(await control('/arrivals')).toMatchObject({ users: 3, events: 2 });
});

test('property: in bulk, all users except the invalid ones arrive once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(39), { maxLength: 6 }), async (invalid) => {
      await control('/arrivals', 'DELETE');
      const given = Array.from({ length: 40 }, (_, index) => tagged(index, invalid.includes(index) ? '+mismatch' : ''));
      const results = await push(given, 'bulk');
      expect(results.map(({ record }) => record.overall_success)).toEqual(
        given.map((_, index) => !invalid.includes(index)),
      );
      expect(await control('/arrivals')).toMatchObject({
        users: 40 - invalid.length,
        events: 40 - invalid.length,
        most_updates_of_a_user: invalid.length === 40 ? 0 : 1,
        most_tracks_of_an_event: 1,
      });
    }),
    { numRuns: 25 },
  );
});

test('property: in every form of a bulk response, failed users count as failed, and all others as successes', async () => {
  const tags = ['', '', '+forgotten', '+newlist', '+unnamed', '+unnamedevent', '+notfound', '+mismatch'];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...tags), { minLength: 1, maxLength: 12 }), async (chosen) => {
      await control('/arrivals', 'DELETE');
      const given = chosen.map((tag, index) => tagged(index, tag));
      const results = await push(given, 'bulk');
      const ofUsers = ['', '+unnamedevent', '+notfound'];
      expect(results.map(({ record }) => [record.users_update.success, record.overall_success])).toEqual(
        chosen.map((tag) => [ofUsers.includes(tag), tag === '']),
      );
      expect(results.map(({ failedRow }) => failedRow?.id)).toEqual(
        given.map(({ row }, index) => (chosen[index] === '' ? undefined : row.id)),
      );
      expect(await control('/arrivals')).toMatchObject({
        users: chosen.filter((tag) => ofUsers.includes(tag)).length,
        events: chosen.filter((tag) => tag === '').length,
      });
    }),
    { numRuns: 40 },
  );
});

test('with tokens, each call has the token of its user', async () => {
  const withTokens = connect(true);
  const results = await push(users(5), 'single', withTokens);
  expect(results.every(({ record }) => record.overall_success)).toBe(true);
  await expect(push(users(1), 'bulk', withTokens)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await withTokens.close();
  expect((await control('/arrivals')).calls['users/bulkUpdate'].calls).toBe(0);
});

test('a dry run builds every payload and sends nothing', async () => {
  const [result] = await collect(pushUsers(stream([user(1)]), { mode: 'bulk', context, now: () => 0 }));
  expect(result?.record).toMatchObject({
    users_update: { success: true, response: { code: 'DryRun', payload: { email: 'user1@example.com' } } },
    events_track: { success: true, response: { code: 'DryRun', payload: { id: 'page_view:1:pricing:1795168953' } } },
    overall_success: true,
  });
});

/** A clock that advances when all callers sleep. */
const startClock = () => {
  let nowMs = 0;
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  const sleep = (ms: number) => new Promise<void>((resolve) => void sleepers.push({ atMs: nowMs + ms, wake: resolve }));
  const passUntil = async (done: Promise<unknown>): Promise<void> => {
    let over = false;
    void done.finally(() => {
      over = true;
    });
    for (let idle = 0; !over; idle += 1) {
      const before = sleepers.length;
      await tick();
      if (sleepers.length !== before) idle = 0;
      if (idle < 5) continue;
      nowMs = Math.min(...sleepers.map(({ atMs }) => atMs));
      const awake = sleepers.filter(({ atMs }) => atMs === nowMs);
      sleepers = sleepers.filter(({ atMs }) => atMs !== nowMs);
      for (const { wake } of awake) wake();
      idle = 0;
    }
  };
  return { now: () => nowMs, sleep, passUntil };
};

test.each([
  ['bulk', 5, 4_500, 1_000, 60],
  ['single', 500, 850, 1, 2_000],
] as const)(
  '%s makes close to %d calls per second if each of the two calls takes %d ms',
  async (mode, limit, tookMs, size, calls) => {
    const clock = startClock();
    const pace = createPace({ callsPerSecond: limit, utilization: 0.985, ...clock });
    const updatedAtMs: number[] = [];
    const ok: CallResult = { success: true, response: { code: 'Success', msg: '' } };
    const update = async () => {
      await pace();
      updatedAtMs.push(clock.now());
      await clock.sleep(tookMs);
      return ok;
    };
    const track = () => clock.sleep(tookMs).then(() => ok);
    const all = <T>(batch: readonly unknown[], result: T) => batch.map(() => result);
    const slow: IterableClient = {
      updateUser: update,
      trackEvent: track,
      updateUsers: async (batch) => all(batch, await update()),
      trackEvents: async (batch) => all(batch, await track()),
      readProfile: unconfigured('readProfile'),
      checkKey: unconfigured('checkKey'),
      close: unconfigured('close'),
    };
    const one = user(1);
    const given = Array.from({ length: calls * size }, () => one);
    const pushed = push(given, mode, slow);
    await clock.passUntil(pushed);
    expect(await pushed).toHaveLength(given.length);
    expect(updatedAtMs).toHaveLength(calls);
    const seconds = ((updatedAtMs.at(-1) ?? 0) - (updatedAtMs[0] ?? 0)) / 1_000;
    expect((calls - 1) / seconds / limit).toBeGreaterThan(0.97);
  },
);

test('no results without users', async () => {
  expect(await push([], 'bulk')).toEqual([]);
  expect(await push([], 'single')).toEqual([]);
});

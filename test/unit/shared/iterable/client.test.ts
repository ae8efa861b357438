import { gzipSync } from 'node:zlib';
import type { FailedAttempt } from '../../../../shared/http/api-client';
import type { IterableCredential } from '../../../../shared/iterable/auth';
import { createIterableClient } from '../../../../shared/iterable/client';
import { KeyRefusedError } from '../../../../shared/iterable/responses';
import { type ScriptedServer, startScriptedServer } from '../../../support/scripted-server';
import { secretOf } from '../../../support/secrets';
import { user, users } from './sample';

const credential: IterableCredential = { api_key: 'the-api-key', jwt_secret: 'the-jwt-secret' };
const success = { body: { code: 'Success', msg: 'ok' } };
const refused = (status: number, code: string, msg = '') => ({ status, body: { code, msg } });
/** A response in which all users except `failCount` succeeded; its counts exceed any batch. */
const bulkResponse = (fields: object = {}) => ({ body: { successCount: 1_000, failCount: 0, ...fields } });

let server: ScriptedServer;
let retries: FailedAttempt[];
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  server = await startScriptedServer();
  retries = [];
  closing = [];
});
afterEach(async () => {
  expect(server.left()).toBe(0);
  await Promise.all(closing.map((close) => close()));
  await server.stop();
});

const start = (
  options: { useJwt?: boolean; rotated?: IterableCredential; random?: number; deadlineMs?: number } = {},
) => {
  let nowMs = 0;
  const client = createIterableClient({
    baseUrl: server.origin,
    credential: secretOf(credential, options.rotated),
    useJwt: options.useJwt ?? false,
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    random: () => options.random ?? 0,
  });
  closing.push(client.close);
  const context = {
    deadlineMs: options.deadlineMs ?? 600_000,
    onRetry: (retry: FailedAttempt) => void retries.push(retry),
  };
  return {
    updateUser: () => client.updateUser(user(1), context),
    trackEvent: () => client.trackEvent(user(1), context),
    updateUsers: (count: number) => client.updateUsers(users(count), context),
    trackEvents: (count: number) => client.trackEvents(users(count), context),
    elapsedMs: () => nowMs,
    checkKey: () => client.checkKey(context),
    updateBatch: (batch: ReturnType<typeof users>) => client.updateUsers(batch, context),
  };
};

/** Iterable's limit per second of each call. */
const limits = { updateUser: 500, updateUsers: 5, trackEvent: 2_000, trackEvents: 10 } as const;

test.each(Object.entries(limits) as [keyof typeof limits, number][])(
  '%s makes close to %d calls per second, and never more',
  async (call, limit) => {
    const count = Math.max(10, limit / 5);
    const response = call.endsWith('s') ? bulkResponse() : success;
    server.respond(...Array.from({ length: count }, () => response));
    const { [call]: send, elapsedMs } = start();
    await Promise.all(Array.from({ length: count }, () => send(2)));
    const leastMs = (count / limit) * 1_000;
    expect(elapsedMs()).toBeGreaterThan(leastMs);
    expect(elapsedMs()).toBeLessThan(leastMs * 1.06);
  },
);

test('a call times out after 10 s', async () => {
  const timeout = jest.spyOn(AbortSignal, 'timeout');
  server.respond(success);
  await start().updateUser();
  expect(timeout.mock.calls).toEqual([[10_000]]);
  timeout.mockRestore();
});

const sizes = () => server.calls.map(({ body }) => Object.values<unknown[]>(JSON.parse(body))[0]?.length);

describe('the four calls', () => {
  test('use the paths of the contract, with the key', async () => {
    server.respond(success, success, bulkResponse(), bulkResponse());
    const { updateUser, trackEvent, updateUsers, trackEvents } = start();
    await updateUser();
    await trackEvent();
    await updateUsers(2);
    await trackEvents(2);
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/users/update',
      'POST /api/events/track',
      'POST /api/users/bulkUpdate',
      'POST /api/events/trackBulk',
    ]);
    for (const { headers } of server.calls) {
      expect(headers).toMatchObject({ 'api-key': 'the-api-key', 'content-type': 'application/json' });
      expect(headers.authorization).toBeUndefined();
    }
  });

  test('send a token for their user', async () => {
    server.respond(success);
    await start({ useJwt: true }).updateUser();
    const { authorization, 'api-key': apiKey } = server.calls[0]?.headers ?? {};
    expect(apiKey).toBe('the-api-key');
    const payload = Buffer.from(authorization?.split('.')[1] ?? '', 'base64url').toString();
    expect(JSON.parse(payload).email).toBe('user1@example.com');
  });

  test('are not made in bulk with tokens', async () => {
    await expect(start({ useJwt: true }).updateUsers(1)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(server.calls).toHaveLength(0);
  });
});

describe('responses', () => {
  test('success is a 2xx with the code Success', async () => {
    server.respond(success);
    expect(await start().updateUser()).toEqual({ success: true, response: { code: 'Success', msg: 'ok' } });
  });

  test.each([
    [refused(200, 'GenericError', 'hm'), { code: 'GenericError', msg: 'hm' }],
    [
      { status: 200, body: '<html>' },
      { code: 'HTTP 200', msg: 'The response cannot be read' },
    ],
    [refused(400, 'BadParams', 'email is missing'), { code: 'BadParams', msg: 'email is missing' }],
    [refused(401, 'InvalidJwtPayload'), { code: 'InvalidJwtPayload', msg: '' }],
    [refused(401, 'JwtUserIdentifiersMismatched'), { code: 'JwtUserIdentifiersMismatched', msg: '' }],
    [
      { status: 404, body: '' },
      { code: 'HTTP 404', msg: 'The response cannot be read' },
    ],
    [refused(409, 'ForgottenUserError', 'gone'), { code: 'ForgottenUserError', msg: 'gone' }],
    [refused(425, 'GenericError'), { code: 'GenericError', msg: '' }],
    [refused(501, 'GenericError'), { code: 'GenericError', msg: '' }],
  ])('%j is permanent for that user', async (scripted, response) => {
    server.respond(scripted);
    expect(await start().updateUser()).toMatchObject({ success: false, response });
    expect(server.calls).toHaveLength(1);
  });

  test.each([408, 429, 500, 502, 503, 504])('%d: three attempts', async (status) => {
    server.respond(
      refused(status, 'DatabaseError'),
      refused(status, 'DatabaseError'),
      refused(status, 'DatabaseError'),
    );
    expect(await start().trackEvent()).toEqual({
      success: false,
      response: { code: 'DatabaseError', msg: '' },
      failure: { errorCode: status === 429 ? 'RATE_LIMITED' : 'API_UNAVAILABLE', statusCode: status },
    });
    expect(retries.map(({ waitMs, error }) => [waitMs, error.api, error.retryable])).toEqual([
      [1_000, 'iterable', true],
      [2_000, 'iterable', true],
    ]);
  });

  test('a broken connection is retried', async () => {
    server.respond({ hangUp: true }, success);
    expect((await start().updateUser()).success).toBe(true);
    expect(retries[0]?.error.code).toBe('CONNECTION_FAULT');
  });

  test('without a response by the deadline, the user is left open', async () => {
    server.respond({ silent: 'at once' });
    const result = await start({ deadlineMs: 1_100 }).updateUser();
    expect(result).toMatchObject({ success: false, response: { code: 'TIMEOUT' }, openForMs: 1_000 });
  });

  test('waits up to 20 percent longer than the backoff, or for the time in Retry-After', async () => {
    server.respond(
      refused(429, 'RateLimitExceeded'),
      { ...refused(503, ''), headers: { 'retry-after': '75' } },
      success,
    );
    expect((await start({ random: 0.999 }).updateUser()).success).toBe(true);
    expect(retries.map(({ waitMs }) => Math.round(waitMs))).toEqual([1_200, 75_000]);
  });

  test('a wait beyond the deadline leaves the user open for that time', async () => {
    server.respond({ ...refused(429, 'RateLimitExceeded'), headers: { 'retry-after': '30' } });
    const result = await start({ deadlineMs: 20_000 }).updateUser();
    const response = { code: 'RateLimitExceeded', msg: '' };
    expect(result).toMatchObject({ success: false, response, openForMs: 30_000 });
  });

  test('a wait beyond the deadline leaves all users of a batch open for that time', async () => {
    server.respond({ ...refused(429, 'RateLimitExceeded'), headers: { 'retry-after': '30' } });
    const results = await start({ deadlineMs: 20_000 }).updateUsers(2);
    expect(results.map(({ openForMs }) => openForMs)).toEqual([30_000, 30_000]);
  });

  test.each([
    [401, 'BadApiKey'],
    [403, 'Forbidden'],
    [403, 'anything'],
  ])('%d %s ends the run: no further call is made', async (status, code) => {
    server.respond(refused(status, code));
    const { updateUser, trackEvent, updateUsers } = start();
    await expect(updateUser()).rejects.toThrow(KeyRefusedError);
    await expect(trackEvent()).rejects.toThrow(KeyRefusedError);
    await expect(updateUsers(2)).rejects.toThrow(KeyRefusedError);
    expect(server.calls).toHaveLength(1);
  });

  test('a refused key in a bulk call ends the run', async () => {
    server.respond(refused(401, 'BadApiKey'));
    await expect(start().updateUsers(2)).rejects.toThrow(KeyRefusedError);
  });

  test('the call is repeated once with a rotated key', async () => {
    server.respond(refused(401, 'BadApiKey'), success);
    expect((await start({ rotated: { api_key: 'new-key' } }).updateUser()).success).toBe(true);
    expect(server.calls[1]?.headers['api-key']).toBe('new-key');
  });

  test('no secret appears in a response', async () => {
    server.respond(refused(400, 'BadParams', 'the-api-key and the-jwt-secret are bad'));
    const { response } = await start().updateUser();
    expect(response.msg).toBe('[secret] and [secret] are bad');
  });
});

describe('the check of the key', () => {
  test('makes both bulk calls without a user; any response but a refusal shows that the key may make them', async () => {
    server.respond(bulkResponse(), refused(400, 'BadParams', 'events is empty'));
    await start().checkKey();
    expect(server.calls.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
      ['/api/users/bulkUpdate', { users: [] }],
      ['/api/events/trackBulk', { events: [] }],
    ]);
  });

  test.each([
    [401, 'BadApiKey', 'BadApiKey'],
    [401, 'BadAuthorizationHeader', 'BadAuthorizationHeader'],
    [403, 'not for ada@example.com', 'other'],
  ])('finds a refusal of either call: %d %s', async (status, code, reason) => {
    const error = new KeyRefusedError(status, reason);
    server.respond(refused(status, code));
    await expect(start().checkKey()).rejects.toEqual(error);
    server.respond(bulkResponse(), refused(status, code));
    await expect(start().checkKey()).rejects.toEqual(error);
  });

  test('shows nothing if Iterable is not available', async () => {
    server.respond(...[1, 2, 3].map(() => refused(503, 'GenericError')));
    await expect(start().checkKey()).rejects.toMatchObject({ code: 'API_UNAVAILABLE', retryable: true });
  });

  describe('with tokens', () => {
    const checkToken = (status: number, code: string) => {
      server.respond(refused(status, code));
      return start({ useJwt: true }).checkKey();
    };

    test('reads a user who does not exist', async () => {
      await checkToken(200, '');
      expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /api/users/getByEmail?email=preflight%40example.com',
      ]);
    });

    test.each([
      [401, 'BadApiKey'],
      [401, 'InvalidJwtPayload'],
    ])('finds that the key or the token is refused: %d %s', async (status, code) => {
      await expect(checkToken(status, code)).rejects.toEqual(new KeyRefusedError(status, code));
    });

    test.each([
      [401, 'Unauthorized'],
      [403, 'Forbidden'],
      [404, 'UnknownEmailError'],
    ])('does not conclude from a call that may be denied: %d %s', async (status, code) => {
      await expect(checkToken(status, code)).resolves.toBeUndefined();
    });
  });
});

describe('a compressed response', () => {
  const gzipped = (json: object) => ({
    body: gzipSync(JSON.stringify(json)),
    headers: { 'content-encoding': 'gzip' },
  });

  test('is read', async () => {
    server.respond(gzipped({ successCount: 1, failCount: 1, invalidEmails: ['user1@example.com'] }));
    const results = await start().updateUsers(2);
    expect(results.map(({ success }) => success)).toEqual([false, true]);
  });

  test('in an unknown encoding is retried, then reported', async () => {
    const unknown = { ...bulkResponse(), headers: { 'content-encoding': 'zstd' } };
    server.respond(unknown, bulkResponse(), unknown, unknown, unknown);
    const { updateUsers, trackEvents } = start();
    expect(await updateUsers(1)).toMatchObject([{ success: true }]);
    expect(await trackEvents(1)).toMatchObject([
      { success: false, response: { code: 'BAD_ANSWER', msg: expect.stringContaining('cannot decode (zstd)') } },
    ]);
  });

  test('in an unknown encoding is still a refusal', async () => {
    server.respond({ status: 403, body: 'x', headers: { 'content-encoding': 'zstd' } });
    await expect(start().updateUsers(2)).rejects.toBeInstanceOf(KeyRefusedError);
  });
});

describe('a bulk response', () => {
  const codes = (results: readonly { success: boolean; response: { code: string } }[]) =>
    results.map(({ response }) => response.code);

  test('names failed users by e-mail, in any case', async () => {
    server.respond(
      bulkResponse({
        failCount: 6,
        failedUpdates: {
          invalidEmails: ['USER1@example.com'],
          notFoundEmails: ['user2@example.com'],
          forgottenEmails: ['user3@example.com'],
          conflictEmails: ['user4@example.com'],
          invalidDataEmails: ['user5@example.com '],
          invalidUserIds: ['user6@example.com'],
        },
      }),
    );
    const results = await start().updateUsers(7);
    expect(codes(results)).toEqual([
      'invalidEmails',
      'notFoundEmails',
      'forgottenEmails',
      'conflictEmails',
      'invalidDataEmails',
      'invalidUserIds',
      'Success',
    ]);
    expect(results.map(({ success }) => success)).toEqual([...Array(6).fill(false), true]);
    expect(results[0]?.failure).toEqual({ errorCode: 'API_REFUSED', statusCode: 200 });
  });

  test('that names a user fails all duplicates of that user', async () => {
    server.respond(bulkResponse({ failCount: 1, invalidEmails: ['user1@example.com'] }));
    const batch = [user(1), user(2), user(3, { email: 'User1@Example.com' })];
    expect(codes(await start().updateBatch(batch))).toEqual(['invalidEmails', 'Success', 'invalidEmails']);
  });

  test('lists filtered fields', async () => {
    server.respond(bulkResponse({ filteredOutFields: ['candidate'], createdFields: [] }));
    const [result] = await start().updateUsers(1);
    expect(result).toEqual({ success: true, response: { code: 'Success', msg: '', filteredOutFields: ['candidate'] } });
  });

  test('is truncated, and its key is redacted', async () => {
    const createdFields = ['the-api-key '.repeat(50), ...Array<string>(50).fill('a')];
    server.respond(bulkResponse({ createdFields }));
    const [result] = await start().updateUsers(1);
    const kept = result?.response.createdFields;
    expect(kept).toEqual([expect.stringMatching(/^(\[secret\] )+/), ...Array(19).fill('a')]);
    expect(JSON.stringify(kept).length).toBeLessThan(300);
  });

  test('that disallows the event fails all users', async () => {
    server.respond(bulkResponse({ disallowedEventNames: ['page_view'] }));
    expect(codes(await start().trackEvents(2))).toEqual(['disallowedEventNames', 'disallowedEventNames']);
  });

  test('that cannot be read fails all users', async () => {
    server.respond({ body: { code: 'Success' } });
    const results = await start().updateUsers(2);
    expect(results.map(({ success }) => success)).toEqual([false, false]);
  });

  test('that does not name all failed users: the batch is sent again in halves, until each failed user is alone', async () => {
    const hidden = bulkResponse({ failCount: 1, successCount: 1 });
    server.respond(bulkResponse({ failCount: 2, failedUpdates: { conflictEmails: ['user2@example.com'] } }));
    // Next: the first half (one user is named), the second half (none is named), each user of the second half.
    server.respond(bulkResponse({ failCount: 1, failedUpdates: { conflictEmails: ['user2@example.com'] } }));
    server.respond(hidden, bulkResponse(), bulkResponse({ failCount: 1, successCount: 0 }));
    const results = await start().updateUsers(4);
    expect(codes(results)).toEqual(['Success', 'conflictEmails', 'Success', 'failCount']);
    expect(results.map(({ success }) => success)).toEqual([true, false, true, false]);
    expect(sizes()).toEqual([4, 2, 2, 1, 1]);
  });

  test('with no success: the batch is halved only until a single user is not named either', async () => {
    const none = (failCount: number) => bulkResponse({ failCount, successCount: 0 });
    server.respond(none(8), none(4), none(2), none(1), none(1), none(2), none(4));
    const results = await start().updateUsers(8);
    expect(codes(results)).toEqual(Array(8).fill('failCount'));
    expect(results[7]?.failure).toEqual({ errorCode: 'API_REFUSED', statusCode: 200 });
    expect(sizes()).toEqual([8, 4, 2, 1, 1, 2, 4]);
  });

  test('with fewer successes than users: the batch is halved', async () => {
    server.respond(
      bulkResponse({ successCount: 1 }),
      bulkResponse({ successCount: 1 }),
      bulkResponse({ successCount: 0 }),
    );
    expect(codes(await start().updateUsers(2))).toEqual(['Success', 'failCount']);
    expect(sizes()).toEqual([2, 1, 1]);
  });

  test('that names every user: the batch is not halved, whatever the counts are', async () => {
    server.respond(bulkResponse({ failCount: 5, failedUpdates: { any: ['user1@example.com', 'user2@example.com'] } }));
    expect(codes(await start().updateUsers(2))).toEqual(['any', 'any']);
  });

  test.each([
    refused(400, 'BatchTooLarge'),
    refused(400, 'RequestFieldsTypesMismatched'),
    { status: 413, body: 'Payload Too Large' },
  ])('%j halves the batch, down to one user', async (response) => {
    // The batch of four is halved, then its first half, whose first user is refused alone.
    server.respond(response, response, response, bulkResponse(), bulkResponse());
    const results = await start().updateUsers(4);
    expect(results.map(({ success }) => success)).toEqual([false, true, true, true]);
    expect(sizes()).toEqual([4, 2, 1, 1, 2]);
  });

  test('two batches are halved one after the other', async () => {
    const mismatch = refused(400, 'RequestFieldsTypesMismatched');
    server.respond(
      mismatch,
      mismatch,
      mismatch,
      bulkResponse(),
      bulkResponse(),
      bulkResponse(),
      bulkResponse(),
      bulkResponse(),
    );
    const { updateBatch } = start();
    const batch = users(8);
    await Promise.all([updateBatch(batch.slice(0, 4)), updateBatch(batch.slice(4))]);
    const firstOf = ({ body }: { body: string }) => Number(/user(\d)/.exec(body)?.[1]);
    expect(server.calls.map(firstOf)).toEqual([1, 5, 1, 1, 2, 3, 5, 7]);
  });

  test('another 400 fails the batch without halving it', async () => {
    server.respond(refused(400, 'BadParams'));
    expect(codes(await start().updateUsers(3))).toEqual(['BadParams', 'BadParams', 'BadParams']);
  });

  test('a batch without a response fails with the reason', async () => {
    server.respond({ hangUp: true }, { hangUp: true }, { hangUp: true });
    expect(codes(await start().updateUsers(2))).toEqual(['CONNECTION_FAULT', 'CONNECTION_FAULT']);
  });
});

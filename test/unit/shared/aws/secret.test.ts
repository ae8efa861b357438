import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { createSecret } from '../../../../shared/aws/secret';
import { fakeAwsClient } from '../../../support/aws-client';

const schema = z.object({ token: z.string().min(1) });

const minuteMs = 60_000;

const start = (...responses: readonly (string | Error | undefined)[]) => {
  let nowMs = 1_000_000;
  const remaining = [...responses];
  const manager = fakeAwsClient<SecretsManagerClient>(() => {
    if (remaining.length === 0) throw new Error('Secrets Manager has no response configured');
    const response = remaining.shift();
    if (response instanceof Error) throw response;
    return { SecretString: response };
  });
  const secret = createSecret({ client: manager.client, secretId: 'arn:secret', schema, now: () => nowMs });
  return { secret, inputs: manager.inputs, advance: (ms: number) => (nowMs += ms) };
};

const a = '{"token":"a"}';
const b = '{"token":"b"}';

describe('get', () => {
  test('fetches the secret by its id, once', async () => {
    const { secret, inputs } = start(a);
    expect(await Promise.all([secret.get(), secret.get()])).toEqual([{ token: 'a' }, { token: 'a' }]);
    expect(await secret.get()).toEqual({ token: 'a' });
    expect(inputs).toEqual([{ SecretId: 'arn:secret' }]);
  });

  test('fetches it again after 3 minutes', async () => {
    const { secret, advance } = start(a, b);
    await secret.get();
    advance(3 * minuteMs - 1);
    expect(await secret.get()).toEqual({ token: 'a' });
    advance(1);
    expect(await secret.get()).toEqual({ token: 'b' });
  });

  test.each([
    ['cannot be fetched', new Error('throttled')],
    ['has the wrong shape', '{}'],
  ])('keeps it for 5 minutes, and no longer, while it %s', async (_, response) => {
    const { secret, advance } = start(a, response, response, response);
    await secret.get();
    advance(3 * minuteMs);
    expect(await secret.get()).toEqual({ token: 'a' });
    advance(2 * minuteMs - 1);
    expect(await secret.get()).toEqual({ token: 'a' });
    advance(1);
    await expect(secret.get()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  });

  test('retries every 10 s while it cannot be fetched, then uses the new value', async () => {
    const { secret, inputs, advance } = start(a, new Error('throttled'), b);
    await secret.get();
    advance(3 * minuteMs);
    expect(await Promise.all([secret.get(), secret.get()])).toEqual([{ token: 'a' }, { token: 'a' }]);
    advance(9_999);
    expect(await secret.get()).toEqual({ token: 'a' });
    expect(inputs).toHaveLength(2);
    advance(1);
    expect(await secret.get()).toEqual({ token: 'b' });
    advance(3 * minuteMs - 1);
    expect(await secret.get()).toEqual({ token: 'b' });
    expect(inputs).toHaveLength(3);
  });

  test('waits for Secrets Manager at most one second while the cached value is valid', async () => {
    let nowMs = 0;
    const responses: (() => Promise<unknown>)[] = [
      async () => ({ SecretString: a }),
      () => new Promise<never>(() => undefined),
    ];
    const { client, inputs } = fakeAwsClient<SecretsManagerClient>(() => responses.shift()?.());
    const secret = createSecret({ client, secretId: 'arn:secret', schema, now: () => nowMs });
    await secret.get();
    nowMs = 3 * minuteMs;
    expect(await Promise.all([secret.get(), secret.get()])).toEqual([{ token: 'a' }, { token: 'a' }]);
    nowMs = 5 * minuteMs - 1;
    expect(await secret.get()).toEqual({ token: 'a' });
    expect(inputs).toHaveLength(2);
  });

  test('does not use a value that expires during a failing fetch', async () => {
    let nowMs = 0;
    const responses = [
      async () => ({ SecretString: a }),
      async () => Promise.reject(new Error('slow')).finally(() => (nowMs = 5 * minuteMs)),
    ];
    const { client } = fakeAwsClient<SecretsManagerClient>(() => responses.shift()?.());
    const secret = createSecret({ client, secretId: 'arn:secret', schema, now: () => nowMs });
    await secret.get();
    nowMs = 4 * minuteMs;
    await expect(secret.get()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  });

  test('does not cache a failed fetch', async () => {
    const { secret } = start(new Error('throttled'), a);
    await expect(secret.get()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    expect(await secret.get()).toEqual({ token: 'a' });
  });

  test('does not cache a secret of the wrong shape', async () => {
    const { secret } = start('{}', a);
    await expect(secret.get()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    expect(await secret.get()).toEqual({ token: 'a' });
  });
});

describe('refresh', () => {
  test('fetches a secret that is not cached', async () => {
    const { secret, inputs } = start(a);
    expect(await secret.refresh()).toEqual({ token: 'a' });
    expect(inputs).toHaveLength(1);
  });

  test('fetches immediately, even if the cached secret is new, and then at most once per second', async () => {
    const { secret, inputs, advance } = start(a, b, a);
    await secret.get();
    expect(await secret.refresh()).toEqual({ token: 'b' });
    expect(await secret.get()).toEqual({ token: 'b' });
    advance(999);
    expect(await secret.refresh()).toEqual({ token: 'b' });
    expect(inputs).toHaveLength(2);
    advance(1);
    expect(await secret.refresh()).toEqual({ token: 'a' });
    expect(inputs).toHaveLength(3);
  });

  test('a fetch that started earlier and ends later does not restore the old secret', async () => {
    let resolveFirst: (response: unknown) => void = () => undefined;
    let nowMs = 0;
    const responses = [new Promise((resolve) => (resolveFirst = resolve)), { SecretString: b }];
    const { client } = fakeAwsClient<SecretsManagerClient>(() => responses.shift());
    const secret = createSecret({ client, secretId: 'arn:secret', schema, now: () => nowMs++ });
    const first = secret.get();
    expect(await secret.refresh()).toEqual({ token: 'b' });
    resolveFirst({ SecretString: a });
    await first;
    expect(await secret.get()).toEqual({ token: 'b' });
  });

  test('concurrent refused callers share one fetch', async () => {
    const { secret, inputs } = start(a, b);
    await secret.get();
    const values = await Promise.all(Array.from({ length: 20 }, () => secret.refresh()));
    expect(values).toEqual(values.map(() => ({ token: 'b' })));
    expect(inputs).toHaveLength(2);
  });
});

test('a failed refresh keeps the valid secret, and is not repeated for a second', async () => {
  const { secret, inputs, advance } = start(a, new Error('throttled'), b);
  await secret.get();
  await expect(secret.refresh()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  expect(await secret.get()).toEqual({ token: 'a' });
  advance(999);
  await expect(secret.refresh()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  expect(inputs).toHaveLength(2);
  advance(1);
  expect(await secret.refresh()).toEqual({ token: 'b' });
});

describe('the error of an unreadable secret', () => {
  test.each<[string, string | undefined, string]>([
    ['no value', undefined, 'The secret has the wrong shape: secret '],
    ['text that is not JSON', 'hunter2', 'The secret has the wrong shape: secret '],
    ['a missing field', '{"password":"hunter2"}', 'The secret has the wrong shape: token '],
    ['an invalid field', '{"token":["hunter2"]}', 'The secret has the wrong shape: token '],
  ])('with %s contains the fault, but nothing of the secret', async (_, text, message) => {
    const { secret } = start(text);
    const error: unknown = await secret.get().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SECRET_UNREADABLE', retryable: true });
    expect(error).toHaveProperty('message', expect.stringContaining(message));
    expect(error).toHaveProperty('message', expect.not.stringContaining('hunter2'));
    expect(error).not.toHaveProperty('cause');
  });

  test('has the cause of a failed fetch', async () => {
    const cause = new Error('AccessDenied');
    const { secret } = start(cause);
    await expect(secret.get()).rejects.toMatchObject({ message: 'The secret cannot be fetched', cause });
  });
});

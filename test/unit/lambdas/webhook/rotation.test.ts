import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import fc from 'fast-check';
import {
  createAuthenticator,
  webhookRefreshIntervalMs,
  webhookSecretSchema,
} from '../../../../lambdas/webhook/authenticate';
import { createSecret } from '../../../../shared/aws/secret';
import { fakeAwsClient } from '../../../support/aws-client';
import { basicAuthorization } from '../../../support/webhook-calls';

const body = Buffer.from('{}');
const minuteMs = 60_000;

/** The webhook's authentication, with a secret that the test rewrites and a clock that the test advances. */
const start = () => {
  let nowMs = 1_000_000;
  let passwords = ['old-password'];
  const manager = fakeAwsClient<SecretsManagerClient>(() => ({
    SecretString: JSON.stringify({ basic: passwords.map((password) => ({ username: 'qualia', password })) }),
  }));
  const authenticate = createAuthenticator(
    createSecret({
      client: manager.client,
      secretId: 'webhook',
      schema: webhookSecretSchema,
      now: () => nowMs,
      refreshIntervalMs: webhookRefreshIntervalMs,
    }),
  );
  return {
    call: (password: string): Promise<boolean> =>
      authenticate({ authorization: basicAuthorization('qualia', password) }, body),
    write: (...written: string[]): void => {
      passwords = written;
    },
    advance: (ms: number): void => {
      nowMs += ms;
    },
    fetches: (): number => manager.inputs.length,
  };
};

const waits = (maxMs: number) => fc.array(fc.integer({ min: 0, max: maxMs }), { minLength: 1, maxLength: 12 });

test('property: a sender can switch to a new password at any time after it was added, and no call is refused', async () => {
  await fc.assert(
    fc.asyncProperty(waits(6 * minuteMs), waits(6 * minuteMs), waits(6 * minuteMs), async (before, withBoth, after) => {
      const { call, write, advance } = start();
      const calls = async (password: string, pauses: readonly number[]) => {
        for (const pauseMs of pauses) {
          expect(await call(password)).toBe(true);
          advance(pauseMs);
        }
      };
      await calls('old-password', before);
      write('old-password', 'new-password');
      await calls('old-password', withBoth.slice(0, 3));
      await calls('new-password', withBoth);
      write('new-password');
      await calls('new-password', after);
    }),
  );
});

test('property: while untrusted callers send calls, a sender can switch 10 s after the new password was added', async () => {
  await fc.assert(
    fc.asyncProperty(waits(15_000), waits(15_000), async (before, after) => {
      const { call, write, advance } = start();
      const calls = async (password: string, pauses: readonly number[]) => {
        for (const pauseMs of pauses) {
          expect(await call('a guess')).toBe(false);
          expect(await call(password)).toBe(true);
          advance(pauseMs);
        }
      };
      await calls('old-password', before);
      write('old-password', 'new-password');
      advance(10_000);
      await calls('new-password', after);
    }),
  );
});

test('a removed password is rejected after 5 minutes', async () => {
  const { call, write, advance } = start();
  expect(await call('old-password')).toBe(true);
  write('new-password');
  advance(5 * minuteMs);
  expect(await call('old-password')).toBe(false);
});

test('untrusted callers cause at most one call to Secrets Manager per 10 s', async () => {
  const { call, advance, fetches } = start();
  for (let second = 0; second < 600; second++) {
    expect(await call('a guess')).toBe(false);
    expect(await call(`another ${second}`)).toBe(false);
    advance(1_000);
  }
  expect(fetches()).toBe(1 + 60);
});

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

/** A webhook's sign-in, the secret as an operator writes it, and a clock that only the test advances. */
const start = () => {
  let nowMs = 1_000_000;
  let passwords = ['old-password'];
  const manager = fakeAwsClient<SecretsManagerClient>(() => ({
    SecretString: JSON.stringify({ basic: passwords.map((password) => ({ username: 'qualia', password })) }),
  }));
  const signIn = createAuthenticator(
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
      signIn({ authorization: basicAuthorization('qualia', password) }, body),
    write: (...written: string[]): void => {
      passwords = written;
    },
    pass: (ms: number): void => {
      nowMs += ms;
    },
    fetches: (): number => manager.inputs.length,
  };
};

const waits = (maxMs: number) => fc.array(fc.integer({ min: 0, max: maxMs }), { minLength: 1, maxLength: 12 });

test('a sender goes over to a new password at any moment after it was written, and no call is refused', async () => {
  await fc.assert(
    fc.asyncProperty(waits(6 * minuteMs), waits(6 * minuteMs), waits(6 * minuteMs), async (before, both, after) => {
      const { call, write, pass } = start();
      const calls = async (password: string, pauses: readonly number[]) => {
        for (const pauseMs of pauses) {
          expect(await call(password)).toBe(true);
          pass(pauseMs);
        }
      };
      await calls('old-password', before);
      write('old-password', 'new-password');
      await calls('old-password', both.slice(0, 3));
      await calls('new-password', both);
      write('new-password');
      await calls('new-password', after);
    }),
  );
});

test('the same while untrusted callers call constantly, after both have been in the secret for 10 s', async () => {
  await fc.assert(
    fc.asyncProperty(waits(15_000), waits(15_000), async (before, after) => {
      const { call, write, pass } = start();
      const calls = async (password: string, pauses: readonly number[]) => {
        for (const pauseMs of pauses) {
          expect(await call('a guess')).toBe(false);
          expect(await call(password)).toBe(true);
          pass(pauseMs);
        }
      };
      await calls('old-password', before);
      write('old-password', 'new-password');
      pass(10_000);
      await calls('new-password', after);
    }),
  );
});

test('a removed password is rejected after 5 minutes', async () => {
  const { call, write, pass } = start();
  expect(await call('old-password')).toBe(true);
  write('new-password');
  pass(5 * minuteMs);
  expect(await call('old-password')).toBe(false);
});

test('untrusted callers cause at most one call to Secrets Manager per 10 s', async () => {
  const { call, pass, fetches } = start();
  for (let second = 0; second < 600; second++) {
    expect(await call('a guess')).toBe(false);
    expect(await call(`another ${second}`)).toBe(false);
    pass(1_000);
  }
  expect(fetches()).toBe(1 + 60);
});

import { loginOf, netlifeSecretSchema } from '../../../../shared/netlife/credential';

const secretOf = (value: unknown) => {
  const parsed = netlifeSecretSchema.parse(value);
  return { get: async () => parsed, refresh: async () => parsed };
};
const own = { username: 'own', password: 'own-password' };
const shared = { username: 'shared', password: 'shared-password', timeout_s: 10, rate_limit_per_sec: 4 };

test('a portal has its own login or else the shared one, with defaults', async () => {
  const secret = secretOf({ ...shared, nowandgen: own });
  expect(await loginOf(secret, 'nowandgen').get()).toEqual({ ...own, timeout_s: 30, rate_limit_per_sec: 8 });
  expect(await loginOf(secret, 'legacyphoto').refresh()).toEqual(shared);
});

test('a portal without a login is a permanent error', async () => {
  await expect(loginOf(secretOf({ nowandgen: own }), 'legacyphoto').get()).rejects.toMatchObject({
    code: 'SECRET_UNREADABLE',
    retryable: false,
    message: expect.stringContaining('legacyphoto'),
  });
});

test.each([
  null,
  'text',
  { username: 'u' },
  { nowandgen: { username: 'u' } },
  { username: 'u', password: 'short' },
  { ...shared, rate_limit_per_sec: 0 },
])('refuses the secret %j', (value) => {
  expect(netlifeSecretSchema.safeParse(value).success).toBe(false);
});

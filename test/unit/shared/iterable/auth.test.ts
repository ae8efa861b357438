import { authenticateByKey, createJwtAuthentication, iterableCredentialSchema } from '../../../../shared/iterable/auth';
import { signJwt } from '../../../../shared/iterable/jwt';

test.each([{ api_key: 'x' }, { api_key: 'long-enough', jwt_secret: '1234567' }, { api_key: '' }])(
  'a secret with a short key is rejected: %j',
  (secret) => {
    const { error } = iterableCredentialSchema.safeParse(secret);
    expect(error?.issues.map(({ message }) => message)).toEqual(['is shorter than 8 characters']);
  },
);

test('jwt_secret is optional', () => {
  expect(iterableCredentialSchema.safeParse({ api_key: 'long-enough' }).success).toBe(true);
});

const keys = { api_key: 'key', jwt_secret: 'secret' };
const claimsOf = (authorization = '') =>
  JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString());

test("signs Iterable's test vector", () => {
  const claims = { email: 'test@iterable.com', iat: 1599693218, exp: 1599693219 };
  const [, , signature] = signJwt(claims, '2EB6A2F34691492F81A819AEDA32427F').split('.');
  expect(signature).toBe('eDbexB7CnK2jGsXvHfYENrCEkblrLKxgMNbmlfJHXUA');
});

test('authenticates with only the key', () => {
  expect(authenticateByKey(keys)).toEqual({ 'api-key': 'key' });
});

test('authenticates with a token for the user, which is cached until 60 s before it expires', () => {
  let nowMs = 1_795_168_953_900;
  const authenticate = createJwtAuthentication(() => nowMs);
  const first = authenticate(keys, 'maria@example.com');
  expect(first['api-key']).toBe('key');
  expect(claimsOf(first.authorization)).toEqual({
    iss: 'iterable-integration',
    email: 'maria@example.com',
    iat: 1795168953,
    exp: 1795168953 + 3600,
  });
  expect(claimsOf(authenticate(keys, 'james@example.com').authorization).email).toBe('james@example.com');

  nowMs += 3_539_000;
  expect(authenticate(keys, 'maria@example.com')).toEqual(first);
  nowMs += 1_000;
  expect(claimsOf(authenticate(keys, 'maria@example.com').authorization).iat).toBe(1795168953 + 3540);
});

test('signs again after the secret was rotated', () => {
  const authenticate = createJwtAuthentication(() => 0);
  const before = authenticate(keys, 'maria@example.com');
  expect(authenticate({ ...keys, jwt_secret: 'rotated' }, 'maria@example.com')).not.toEqual(before);
});

test('does not authenticate without a secret, or for more than one user', () => {
  const authenticate = createJwtAuthentication(() => 0);
  expect(() => authenticate({ api_key: 'key' }, 'maria@example.com')).toThrow(
    expect.objectContaining({ code: 'SECRET_UNREADABLE', retryable: false }),
  );
  expect(() => authenticate(keys)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', retryable: false }));
});

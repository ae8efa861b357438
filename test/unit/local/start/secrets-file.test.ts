import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webhookSecretSchema } from '../../../../lambdas/webhook/authenticate';
import { readSecretsFile, type Secrets } from '../../../../local/start/secrets-file';
import { internalApiCredentialSchema } from '../../../../shared/internal-api/client';
import { iterableCredentialSchema } from '../../../../shared/iterable/auth';
import { netlifeSecretSchema } from '../../../../shared/netlife/credential';
import { qualiaCredentialSchema } from '../../../../shared/qualia/client';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-file-'));
  file = join(folder, 'secrets.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const longEnough = '88888888';
const tooShort = '7777777';
const signingSecret = `whsec_${'A'.repeat(22)}==`;

const withSecret = (text: string): Secrets => ({
  WebhookSecret: { basic: [{ username: 'qualia', password: text }], signing_secrets: [signingSecret] },
  QualiaSecret: { username: 'pipeline', password: text },
  InternalApiSecret: { token: text },
  NetlifeSecret: { username: 'pipeline', password: text, rate_limit_per_sec: 50 },
  IterableSecret: { api_key: text, jwt_secret: text },
});
const valid = withSecret(longEnough);

const withSigningSecret = (text: string) => ({ ...valid.WebhookSecret, signing_secrets: [text] });

/** Whether the Lambda that reads the secret accepts it. */
const lambdaAccepts = {
  WebhookSecret: (value: unknown) => webhookSecretSchema.safeParse(value).success,
  QualiaSecret: (value: unknown) => qualiaCredentialSchema.safeParse(value).success,
  InternalApiSecret: (value: unknown) => internalApiCredentialSchema.safeParse(value).success,
  NetlifeSecret: (value: unknown) => netlifeSecretSchema.safeParse(value).success,
  IterableSecret: (value: unknown) => iterableCredentialSchema.safeParse(value).success,
};

/** Whether the secrets file is accepted with this value for one secret. */
const fileAccepts = (name: keyof Secrets, value: unknown): boolean => {
  writeFileSync(file, JSON.stringify({ ...valid, [name]: value }));
  try {
    readSecretsFile(file);
    return true;
  } catch {
    return false;
  }
};

test.each<[keyof typeof lambdaAccepts, string, unknown, boolean]>([
  ['WebhookSecret', 'a long password', valid.WebhookSecret, true],
  ['WebhookSecret', 'a short password', withSecret(tooShort).WebhookSecret, false],
  ['WebhookSecret', 'a short signing secret', withSigningSecret(`whsec_${'A'.repeat(20)}`), false],
  ['WebhookSecret', 'a signing secret without its prefix', withSigningSecret('A'.repeat(24)), false],
  ['QualiaSecret', 'a long password', valid.QualiaSecret, true],
  ['QualiaSecret', 'a short password', withSecret(tooShort).QualiaSecret, false],
  ['InternalApiSecret', 'a long token', valid.InternalApiSecret, true],
  ['InternalApiSecret', 'a short token', withSecret(tooShort).InternalApiSecret, false],
  ['NetlifeSecret', 'a long password', valid.NetlifeSecret, true],
  ['NetlifeSecret', 'a short password', withSecret(tooShort).NetlifeSecret, false],
  ['IterableSecret', 'long keys', valid.IterableSecret, true],
  ['IterableSecret', 'a short API key', { ...valid.IterableSecret, api_key: tooShort }, false],
  ['IterableSecret', 'a short JWT secret', { ...valid.IterableSecret, jwt_secret: tooShort }, false],
])('the secrets file and the Lambdas agree on %s with %s', (name, _what, value, expected) => {
  expect(lambdaAccepts[name](value)).toBe(expected);
  expect(fileAccepts(name, value)).toBe(expected);
});

test('the random secrets of the first start are accepted by the Lambdas', () => {
  const secrets = readSecretsFile(file);
  for (const [name, accepts] of Object.entries(lambdaAccepts))
    expect(accepts(secrets[name as keyof Secrets])).toBe(true);
});

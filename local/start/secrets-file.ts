import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { readStateFile, StateError, writeStateFile } from '../../emulator/state-files';

const text = z.string().min(1);
// The Lambdas apply the same two rules. Local code does not import theirs; a unit test compares the two.
const secretText = z.string().min(8);
const signingSecret = z
  .string()
  .regex(
    /^whsec_(?=.{22})(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    'must be "whsec_" and at least 16 bytes of base64',
  );

/** The secrets of the embedded AWS, by their construct ids in the CDK app. Others are kept and not checked. */
const secretsSchema = z.looseObject({
  WebhookSecret: z.object({
    basic: z.array(z.object({ username: text, password: secretText })).min(1),
    signing_secrets: z.array(signingSecret).min(1),
  }),
  QualiaSecret: z.object({ username: text, password: secretText }),
  InternalApiSecret: z.object({ token: secretText }),
  NetlifeSecret: z.looseObject({ username: text, password: secretText, rate_limit_per_sec: z.number().positive() }),
  IterableSecret: z.object({ api_key: secretText, jwt_secret: secretText }),
});
export type Secrets = z.output<typeof secretsSchema>;

const defaults = (): Secrets => {
  const random = () => randomBytes(18).toString('base64url');
  return {
    WebhookSecret: {
      basic: [{ username: 'qualia', password: random() }],
      signing_secrets: [`whsec_${randomBytes(24).toString('base64')}`],
    },
    QualiaSecret: { username: 'pipeline', password: random() },
    InternalApiSecret: { token: random() },
    // The real portals allow 8 calls per second, which would slow down every start.
    NetlifeSecret: { username: 'pipeline', password: random(), timeout_s: 30, rate_limit_per_sec: 50 },
    IterableSecret: { api_key: random(), jwt_secret: random() },
  };
};

/**
 * Reads the secrets file. The first start writes it with random values, and each start adds missing ones.
 *
 * @throws {StateError} if the file is damaged or edited wrongly; names every fault but no value
 */
export const readSecretsFile = (file: string): Secrets => {
  const advice = 'Restore it from a copy, or delete it: the next start writes new random credentials.';
  const kept = readStateFile(file, z.record(z.string(), z.unknown()), advice) ?? {};
  const secrets = { ...defaults(), ...kept };
  if (!isDeepStrictEqual(secrets, kept)) writeStateFile(file, `${JSON.stringify(secrets, undefined, 2)}\n`);
  const parsed = secretsSchema.safeParse(secrets);
  if (parsed.success) return parsed.data;
  throw new StateError(`${file} must be corrected:\n${z.prettifyError(parsed.error)}`);
};

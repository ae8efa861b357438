import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { readStateFile, StateError, writeStateFile } from '../../emulator/state-files';

const text = z.string().min(1);

/** The secrets of the embedded AWS, by their construct ids in the CDK app. Others are kept and not checked. */
const secretsSchema = z.looseObject({
  WebhookSecret: z.object({
    basic: z.array(z.object({ username: text, password: text })).min(1),
    signing_secrets: z.array(text).min(1),
  }),
  QualiaSecret: z.object({ username: text, password: text }),
  InternalApiSecret: z.object({ token: text }),
  NetlifeSecret: z.looseObject({ username: text, password: text, rate_limit_per_sec: z.number().positive() }),
  IterableSecret: z.object({ api_key: text, jwt_secret: text }),
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
    // The real portals allow 8 calls a second. That would make every start wait for sample data.
    NetlifeSecret: { username: 'pipeline', password: random(), timeout_s: 30, rate_limit_per_sec: 50 },
    IterableSecret: { api_key: random(), jwt_secret: random() },
  };
};

/**
 * Reads the secrets file. The first start writes it with random values, and each start adds what it lacks.
 *
 * @throws {StateError} if the file is damaged or edited wrongly; names every fault, and no value
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

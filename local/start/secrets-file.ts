import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

const text = z.string().min(1);

/** The secrets of the embedded AWS, by the construct ids of the CDK app; those of other APIs pass unread. */
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
    // Not the 8 calls a second of the real portals: nobody wants to wait for sample data.
    NetlifeSecret: { username: 'pipeline', password: random(), timeout_s: 30, rate_limit_per_sec: 50 },
    IterableSecret: { api_key: random(), jwt_secret: random() },
  };
};

/**
 * Reads the secrets file, after writing it with random defaults at the first start; what it lacks is added.
 *
 * @throws {Error} naming every fault of a file that was edited, and no value
 */
export const readSecretsFile = (file: string): Secrets => {
  const kept: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const secrets = { ...defaults(), ...z.record(z.string(), z.unknown()).parse(kept) };
  if (!isDeepStrictEqual(secrets, kept)) {
    writeFileSync(file, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
  }
  const parsed = secretsSchema.safeParse(secrets);
  if (parsed.success) return parsed.data;
  throw new Error(`${file} is not as it should be:\n${z.prettifyError(parsed.error)}`);
};

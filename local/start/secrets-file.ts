import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
  };
};

/**
 * Reads the secrets file, after writing it with random defaults at the first start.
 *
 * @throws {Error} naming every fault of a file that was edited, and no value
 */
export const readSecretsFile = (file: string): Secrets => {
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(defaults(), undefined, 2)}\n`, { mode: 0o600 });
  const parsed = secretsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${file} is not as it should be:\n${z.prettifyError(parsed.error)}`);
};

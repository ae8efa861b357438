import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { safeParse } from 'zod/v4/core';
import { webhookSecretSchema } from '../../../lambdas/webhook/sign-in';
import { internalApiCredentialSchema } from '../../../shared/internal-api/client';
import { iterableCredentialSchema } from '../../../shared/iterable/auth';
import { databaseSecretSchema } from '../../../shared/iterable/source';
import { netlifeSecretSchema } from '../../../shared/netlife/credential';
import { qualiaCredentialSchema } from '../../../shared/qualia/client';

const text = readFileSync(join(__dirname, '../../../docs/deploy.md'), 'utf8');

test.each(
  Object.entries({
    WebhookSecret: webhookSecretSchema,
    QualiaSecret: qualiaCredentialSchema,
    InternalApiSecret: internalApiCredentialSchema,
    NetlifeSecret: netlifeSecretSchema,
    IterableSecret: iterableCredentialSchema,
    DatabaseSecret: databaseSecretSchema,
  }),
)('%s is accepted as docs/deploy.md shows it', (name, schema) => {
  const [, shown = ''] = new RegExp(`^\\| \`${name}\` \\| \`(.+?)\` \\|`, 'm').exec(text) ?? [];
  const { success, error } = safeParse(schema, JSON.parse(shown.replaceAll('…', 'filled-in')));
  expect(error?.issues ?? []).toEqual([]);
  expect(success).toBe(true);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { safeParse } from 'zod/v4/core';
import { webhookSecretSchema } from '../../../lambdas/webhook/authenticate';
import { internalApiCredentialSchema } from '../../../shared/internal-api/client';
import { iterableCredentialSchema } from '../../../shared/iterable/auth';
import { databaseSecretSchema } from '../../../shared/iterable/source';
import { netlifeSecretSchema } from '../../../shared/netlife/credential';
import { qualiaCredentialSchema } from '../../../shared/qualia/client';

const root = join(__dirname, '../../..');
const text = readFileSync(join(root, 'docs/deploy.md'), 'utf8');

test.each(
  Object.entries({
    WebhookSecret: webhookSecretSchema,
    QualiaSecret: qualiaCredentialSchema,
    InternalApiSecret: internalApiCredentialSchema,
    NetlifeSecret: netlifeSecretSchema,
    IterableSecret: iterableCredentialSchema,
    DatabaseSecret: databaseSecretSchema,
  }),
)('the schema of %s accepts the value in docs/deploy.md', (name, schema) => {
  const [, shown = ''] = new RegExp(`^\\| \`${name}\` \\| \`(.+?)\` \\|`, 'm').exec(text) ?? [];
  const { success, error } = safeParse(schema, JSON.parse(shown.replaceAll('…', 'filled-in')));
  expect(error?.issues ?? []).toEqual([]);
  expect(success).toBe(true);
});

/** IAM's prefix for the service of an SDK client. */
const services: Readonly<Record<string, string>> = {
  cloudformation: 'cloudformation',
  cloudwatch: 'cloudwatch',
  'cloudwatch-logs': 'logs',
  eventbridge: 'events',
  lambda: 'lambda',
  scheduler: 'scheduler',
  s3: 's3',
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
  sqs: 'sqs',
  sts: 'sts',
};

/** Calls whose IAM action has another name. */
const rights: Readonly<Record<string, string>> = {
  's3:ListObjectsV2': 's3:ListBucket',
  'lambda:Invoke': 'lambda:InvokeFunction',
};

test('operators have a right to every command that ops/services imports from the AWS SDK', () => {
  const [, row = ''] = /^\| who operates .*?\| (.*) \|$/m.exec(text) ?? [];
  const granted = new Set<string>();
  let service = '';
  // Only the first action of each list has the prefix of its service.
  for (const [, named = service, action] of row.matchAll(/`(?:(\w+):)?(\w+)`/g)) {
    service = named;
    granted.add(`${service}:${action}`);
  }

  const folder = join(root, 'ops/services');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const needed = sources.flatMap((source) =>
    [...source.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(
      ([, names = '', client = '']) =>
        [...names.matchAll(/\bpaginate(\w+)|\b(\w+?)(?:Batch)?Command\b/g)].map(([, paginated, sent]) => {
          const action = `${services[client]}:${paginated ?? sent}`;
          return rights[action] ?? action;
        }),
    ),
  );
  expect(needed.length).toBeGreaterThan(10);
  expect(needed.filter((action) => !granted.has(action))).toEqual([]);
});

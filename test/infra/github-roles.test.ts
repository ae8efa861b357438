import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { allows, arn, policyText, readPolicy } from './iam-policy';

const root = join(__dirname, '../..');

const trustSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.tuple([
    z.strictObject({
      Sid: z.string(),
      Effect: z.literal('Allow'),
      Principal: z.strictObject({ Federated: z.string() }),
      Action: z.literal('sts:AssumeRoleWithWebIdentity'),
      Condition: z.strictObject({ StringEquals: z.record(z.string(), z.string()) }),
    }),
  ]),
});

describe('the trust policy', () => {
  const trust = trustSchema.parse(JSON.parse(policyText('github-trust-policy')));
  const [{ Principal, Condition }] = trust.Statement;
  const issuer = 'token.actions.githubusercontent.com';

  test('trusts one environment of one repository, without wildcards', () => {
    expect(Principal.Federated).toBe(`arn:aws:iam::ACCOUNT:oidc-provider/${issuer}`);
    expect(Condition.StringEquals).toEqual({
      [`${issuer}:aud`]: 'sts.amazonaws.com',
      [`${issuer}:sub`]: 'repo:OWNER/REPOSITORY:environment:STAGE',
    });
    expect(JSON.stringify(trust)).not.toContain('*');
  });

  test('has the placeholders that docs/deploy.md replaces', () => {
    const guide = readFileSync(join(root, 'docs/deploy.md'), 'utf8');
    for (const placeholder of ['ACCOUNT', 'OWNER/REPOSITORY', 'STAGE']) expect(guide).toContain(`s|${placeholder}|`);
  });
});

describe('the policy of a deployment', () => {
  const { policy } = readPolicy('github-deploy-policy');

  test.each(['deploy', 'file-publishing', 'lookup'])(
    'allows the deployment to assume the bootstrap role "%s"',
    (name) => {
      expect(allows(policy, 'sts:AssumeRole', `arn:aws:iam::ACCOUNT:role/cdk-hnb659fds-${name}-role-1-us-east-1`)).toBe(
        true,
      );
    },
  );

  test.each([
    ['sts:AssumeRole', 'arn:aws:iam::ACCOUNT:role/admin'],
    ['sts:AssumeRole', 'arn:aws:iam::ACCOUNT:role/cdk-hnb659fds-cfn-exec-role-1-us-east-1'],
    ['iam:CreateRole', 'arn:aws:iam::ACCOUNT:role/admin'],
    ['s3:GetObject', 'arn:aws:s3:::prod-data-raw/raw/QO-1/1.json'],
  ])('does not allow %s on %s', (action, resource) => {
    expect(allows(policy, action, resource)).toBe(false);
  });
});

describe('the policy of the end-to-end suite', () => {
  const { policy } = readPolicy('github-end-to-end-policy');

  /** The IAM service of an SDK client, and a resource of the staging stage. */
  const clients: Readonly<Record<string, readonly [service: string, resource: string]>> = {
    cloudformation: ['cloudformation', arn('cloudformation', 'stack/staging-Data/1')],
    'cloudwatch-logs': ['logs', arn('logs', 'log-group:/aws/lambda/staging-marketplace-webhook')],
    lambda: ['lambda', arn('lambda', 'function:staging-marketplace-reconciler')],
    s3: ['s3', 'arn:aws:s3:::staging-data-raw/raw/QO-1/1.json'],
    'secrets-manager': ['secretsmanager', arn('secretsmanager', 'secret:WebhookSecret-1')],
    sfn: ['states', arn('states', 'stateMachine:staging-marketplace-SyncJobs')],
    sqs: ['sqs', arn('sqs', 'staging-marketplace-download-dead-letters')],
    dynamodb: ['dynamodb', arn('dynamodb', 'table/staging-Data-Orders')],
  };
  /** Actions whose name differs from their command's. */
  const actions: Readonly<Record<string, string>> = {
    'lambda:Invoke': 'lambda:InvokeFunction',
    's3:ListObjectsV2': 's3:ListBucket',
    'dynamodb:Get': 'dynamodb:GetItem',
  };

  const sources = [
    ...['logs', 'operations', 'orders', 'sync', 'webhook'].map((name) => `test/e2e/${name}.test.ts`),
    ...['logs', 'pipeline', 'sync-runs'].map((name) => `test/e2e/support/${name}.ts`),
    ...['aws', 'simulators', 'stage'].map((name) => `test/deployed/${name}.ts`),
  ];
  const needed = sources.flatMap((source) =>
    [
      ...readFileSync(join(root, source), 'utf8').matchAll(
        /import \{([^}]*)\} from '@aws-sdk\/(?:client|lib)-([\w-]+)'/g,
      ),
    ]
      .flatMap(([, names = '', client = '']) =>
        [...names.matchAll(/\b(\w+?)Command\b/g)].map(([, command]): [string, string] => {
          const [service, resource] = clients[client] ?? ['', ''];
          return [actions[`${service}:${command}`] ?? `${service}:${command}`, resource];
        }),
      )
      // Tests write secrets only in the emulator.
      .filter(([action]) => action !== 'secretsmanager:PutSecretValue'),
  );

  test('allows every command that the suite imports of the AWS SDK', () => {
    expect(needed.length).toBeGreaterThan(15);
    expect(needed.filter(([action, resource]) => !allows(policy, action, resource))).toEqual([]);
  });

  test.each(needed.filter(([, resource]) => resource.includes('staging')))(
    'does not allow %s in prod',
    (action, at) => {
      // Policies cannot restrict these actions of CloudWatch Logs to a resource.
      const acceptsNoResource = /^logs:(Describe|GetQueryResults)/.test(action);
      expect(allows(policy, action, at.replaceAll('staging', 'prod'))).toBe(acceptsNoResource);
    },
  );

  test('gives access to the credentials and the key of staging only', () => {
    const conditions = policy.Statement.filter(({ Action }) =>
      Action.some((action) => /^(secretsmanager|kms):/.test(action)),
    ).map(({ Condition }) => Object.entries(Condition?.StringEquals ?? {}).map(([key, value]) => `${key}=${value}`));
    expect(conditions).toEqual([['secretsmanager:ResourceTag/stage=staging'], ['aws:ResourceTag/stage=staging']]);
  });
});

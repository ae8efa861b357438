import * as z from 'zod';
import { resources, synthesize } from './synth';

const { orderPipeline } = synthesize('prod');
const lambdas = ['webhook', 'download', 'processing', 'reconciler'];

describe('permissions', () => {
  const statementSchema = z.object({
    Effect: z.literal('Allow'),
    Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()),
    Resource: z.unknown().transform((resource) => JSON.stringify(resource)),
  });
  const policies = resources(orderPipeline, 'AWS::IAM::Policy').map(({ Properties }) =>
    z
      .object({ Roles: z.tuple([z.object({ Ref: z.string() })]) })
      .extend({ PolicyDocument: z.object({ Statement: z.array(statementSchema) }) })
      .parse(Properties),
  );
  const statementsOf = (name: string) =>
    policies.find(({ Roles }) => Roles[0].Ref.startsWith(`${name}role`))?.PolicyDocument.Statement ?? [];
  /** What every Lambda needs to log and to be traced, and workers to read their own queue, by AWS's own managed list. */
  const common = /^(logs|xray):|^secretsmanager:|^sqs:(ChangeMessageVisibility|DeleteMessage|Get|Receive)/;

  test.each([
    ['webhook', ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'sqs:SendMessage']],
    [
      'download',
      [
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        's3:GetObject',
        's3:PutObject',
        's3:PutObject',
        'sqs:SendMessage',
        'sqs:SendMessage',
      ],
    ],
    ['processing', ['dynamodb:GetItem', 'dynamodb:UpdateItem', 's3:GetObject', 's3:ListBucket', 'sqs:SendMessage']],
    [
      'reconciler',
      [
        'dynamodb:BatchGetItem',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        's3:GetObject',
        's3:PutObject',
        'sqs:SendMessage',
      ],
    ],
  ])('%s may do what it does and no more', (name, allowed) => {
    const actions = statementsOf(name).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => !common.test(action)).sort()).toEqual(allowed);
  });

  test.each(lambdas)('%s: no wildcard but for X-Ray and the objects under a prefix', (name) => {
    const statements = statementsOf(name);
    expect(statements.flatMap(({ Action }) => Action).join()).not.toContain('*');
    for (const { Action, Resource } of statements) {
      const traces = Action.every((action) => action.startsWith('xray:'));
      if (Resource.includes('*') && !traces) expect(Resource).toMatch(/"\/(raw|rejected)\/\*"/);
    }
  });

  test.each(lambdas)('%s reads one secret', (name) => {
    const secrets = statementsOf(name).filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue'));
    expect(secrets).toHaveLength(1);
  });

  test('no managed policies', () => {
    for (const { Properties } of resources(orderPipeline, 'AWS::IAM::Role')) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});

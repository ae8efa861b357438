import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import executionPolicy from '../../docs/cloudformation-execution-policy.json';
import { resources, synthesize } from './synth';

const stages = { dev: synthesize('dev'), staging: synthesize('staging'), prod: synthesize('prod') };
const { data, orderPipeline } = stages.prod;
const lambdas = ['webhook', 'download', 'processing', 'reconciler'];
const queues = ['download', 'processing'];

describe.each(Object.entries(stages))('%s', (stage, { report, ...templates }) => {
  test('cdk-nag, the template rules and the constructs have nothing to say', () => {
    expect(report.map(({ pluginName }) => pluginName)).toContain('AwsSolutions');
    expect(report.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('every acknowledged finding carries a reason', () => {
    const reasons = report.flatMap(({ suppressedViolations }) => suppressedViolations.map(({ reason }) => reason));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason.split(' ').length).toBeGreaterThan(6);
  });

  test('the outputs have the names that tools look for', () => {
    const names = (template: typeof data) =>
      Object.entries(template.findOutputs('*'))
        .filter(([, output]) => !output.Export)
        .map(([name]) => name);
    expect(names(templates.data)).toEqual([
      'OrdersTableName',
      'RawBucketName',
      'WebhookSecretArn',
      'QualiaSecretArn',
      'InternalApiSecretArn',
      'SyncRunsTableName',
      'ArtifactsBucketName',
      'NetlifeSecretArn',
      'IterableSecretArn',
      'DatabaseSecretArn',
    ]);
    expect(names(templates.orderPipeline)).toEqual([
      'ApiUrl',
      'DownloadQueueUrl',
      'DownloadDeadLetterQueueUrl',
      'ProcessingQueueUrl',
      'ProcessingDeadLetterQueueUrl',
      'ReconcilerFunctionName',
    ]);
    expect(names(templates.syncJobs)).toEqual(['StateMachineArn']);
  });

  test("no template has a secret's value, or asks CloudFormation to put it anywhere", () => {
    for (const template of Object.values(templates)) {
      const text = JSON.stringify(template.toJSON());
      for (const way of ['{{resolve:', '"SecretString"', '"SecretStringTemplate"'])
        expect(text.includes(way)).toBe(false);
    }
  });

  // What roles allow is compared with what Lambdas do in test/integration/permissions, of dev.
  test('grants what dev grants', () => {
    const policiesOf = (name: string, from: Pick<typeof templates, 'orderPipeline' | 'syncJobs'>) =>
      [from.orderPipeline, from.syncJobs]
        .flatMap((template) => resources(template, 'AWS::IAM::Policy'))
        .map((policy) => JSON.stringify(policy).replaceAll(`${name}-`, 'dev-'));
    expect(policiesOf(stage, templates)).toEqual(policiesOf('dev', stages.dev));
  });

  test('CloudFormation is allowed what it is asked to make: docs/cloudformation-execution-policy.json', () => {
    const otherwise: Readonly<Record<string, string>> = { apigatewayv2: 'apigateway', stepfunctions: 'states' };
    const services = Object.values(templates)
      .flatMap((template) => Object.values(template.toJSON().Resources as Record<string, { Type: string }>))
      .map(({ Type }) => Type.split('::')[1]?.toLowerCase() ?? '')
      .map((service) => otherwise[service] ?? service);
    const allowed = executionPolicy.Statement.flatMap(({ Action }) => Action).map((action) => action.split(':')[0]);
    expect([...new Set(services)].filter((service) => !allowed.includes(service))).toEqual([]);
    const roles = executionPolicy.Statement.filter(({ Sid }) => Sid.startsWith('Roles')).map(
      ({ Resource }) => Resource,
    );
    expect(roles).toHaveLength(2);
    for (const resources of roles) expect(resources).toContain(`arn:aws:iam::*:role/${stage}-*`);
  });

  test('no role has a managed policy', () => {
    const roles = Object.values(templates).flatMap((template) => resources(template, 'AWS::IAM::Role'));
    expect(roles.filter(({ Properties }) => 'ManagedPolicyArns' in Properties)).toEqual([]);
  });

  test('every physical name begins with the stage', () => {
    const functions = resources(templates.orderPipeline, 'AWS::Lambda::Function');
    expect(functions.map(({ Properties }) => Properties.FunctionName)).toEqual(
      lambdas.map((name) => `${stage}-marketplace-${name}`),
    );
    const alarms = resources(templates.observability, 'AWS::CloudWatch::Alarm');
    for (const { Properties } of alarms) expect(Properties.AlarmName).toMatch(new RegExp(`^${stage}-marketplace-`));
  });
});

describe('data', () => {
  const retained = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

  test('the orders table is on demand, recoverable, and indexed for failures alone', () => {
    data.hasResource('AWS::DynamoDB::GlobalTable', {
      ...retained,
      Properties: Match.objectLike({
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'failed-orders',
            KeySchema: [
              { AttributeName: 'failed_shard', KeyType: 'HASH' },
              { AttributeName: 'failed_at', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      }),
    });
  });

  test('raw payloads are encrypted, versioned, private, over TLS alone, and expire', () => {
    data.hasResource('AWS::S3::Bucket', {
      ...retained,
      Properties: Match.objectLike({
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            Match.objectLike({
              ExpirationInDays: 400,
              NoncurrentVersionExpiration: { NoncurrentDays: 30 },
            }),
          ],
        },
      }),
    });
    data.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: [Match.objectLike(refusesPlainHttp)] },
    });
  });

  test('no object changes its storage class: S3 moves none of the size of ours, and charges each that it moves', () => {
    const rules = resources(data, 'AWS::S3::Bucket').map(({ Properties }) => JSON.stringify(Properties));
    expect(rules.filter((text) => text.includes('Transition'))).toEqual([]);
  });

  test('secrets outlive the stack in prod, and nothing does in dev', () => {
    const kept = (template: typeof data) =>
      Object.values(template.toJSON().Resources as object).map(({ DeletionPolicy }) => DeletionPolicy);
    data.resourceCountIs('AWS::SecretsManager::Secret', 6);
    data.allResources('AWS::SecretsManager::Secret', retained);
    expect(kept(stages.dev.data)).not.toContain('Retain');
  });
});

const retainedSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DeletionPolicy: z.string().optional(),
    }),
  ),
});
const refusesPlainHttp = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

describe('a first deployment that rolls back can be tried again', () => {
  const retained = [data, orderPipeline, stages.prod.syncJobs, stages.prod.observability].flatMap((template) =>
    Object.entries(retainedSchema.parse(template.toJSON()).Resources).filter(([, { DeletionPolicy }]) =>
      DeletionPolicy?.startsWith('Retain'),
    ),
  );
  /** CloudFormation's properties that fix a physical name: `FunctionName` of a Function, `LogGroupName` of a LogGroup. */
  const isNamed = ({ Type, Properties }: (typeof retained)[number][1]): boolean => {
    const [, , kind = ''] = Type.split('::');
    return ['Name', `${kind}Name`, `${kind.replace('Global', '')}Name`].some((property) => property in Properties);
  };

  test('whatever has a fixed name and outlives its stack is deleted with a failed creation', () => {
    const named = retained.filter(([, resource]) => isNamed(resource));
    expect(new Set(named.map(([, { Type }]) => Type))).toEqual(
      new Set(['AWS::Logs::LogGroup', 'AWS::StepFunctions::StateMachine']),
    );
    expect(named).toHaveLength(14);
    expect(named.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'RetainExceptOnCreate')).toEqual([]);
  });

  test('data is kept in any case, under generated names', () => {
    const generated = retained.filter(([, resource]) => !isNamed(resource));
    expect(generated).toHaveLength(10);
    expect(generated.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain')).toEqual([]);
  });
});

describe('queues', () => {
  test.each(queues)('%s: encrypted, two weeks in the queue, five tries, then a dead letter', (name) => {
    const deadLetterQueue = orderPipeline.findResources('AWS::SQS::Queue', {
      Properties: { QueueName: `prod-marketplace-${name}-dead-letters` },
    });
    const [deadLetterQueueId = ''] = Object.keys(deadLetterQueue);
    expect(deadLetterQueue[deadLetterQueueId]?.Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
    });
    orderPipeline.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: `prod-marketplace-${name}`,
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetterQueueId, 'Arn'] }, maxReceiveCount: 5 },
      VisibilityTimeout: 360,
    });
    orderPipeline.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: `prod-marketplace-${name}`,
      Timeout: 60,
      Environment: { Variables: Match.objectLike({ MAX_RECEIVE_COUNT: '5' }) },
    });
  });

  test('refuse what does not come over TLS', () => {
    orderPipeline.resourcePropertiesCountIs(
      'AWS::SQS::QueuePolicy',
      { PolicyDocument: { Statement: [Match.objectLike(refusesPlainHttp)] } },
      2 * [...queues, 'reconciler'].length,
    );
  });

  const mappingsOf = (template: typeof data) =>
    resources(template, 'AWS::Lambda::EventSourceMapping').map(({ Properties }) => Properties);

  test('hand over batches of ten, answered message by message', () => {
    const mapping = { BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] };
    const inProd = { ...mapping, MaximumBatchingWindowInSeconds: 1, ScalingConfig: { MaximumConcurrency: 10 } };
    expect(mappingsOf(orderPipeline)).toEqual([
      ...queues.map(() => expect.objectContaining(inProd)),
      expect.objectContaining({ BatchSize: 1 }),
    ]);
    expect(mappingsOf(stages.dev.orderPipeline).slice(0, -1)).toEqual(
      queues.map(() => expect.objectContaining({ ...mapping, MaximumBatchingWindowInSeconds: 0 })),
    );
  });

  test("the reconciler's: one pass to continue at a time, hidden for as long as an invocation may take", () => {
    const dlq = orderPipeline.findResources('AWS::SQS::Queue', {
      Properties: { QueueName: 'prod-marketplace-reconciler-dead-letters' },
    });
    orderPipeline.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'prod-marketplace-reconciler',
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [Object.keys(dlq)[0], 'Arn'] }, maxReceiveCount: 5 },
      VisibilityTimeout: 960,
    });
  });
});

describe('Lambdas', () => {
  test.each(lambdas)('%s: Node.js 24 on arm64, traced, short JSON logs, told who it is', (name) => {
    orderPipeline.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: `prod-marketplace-${name}`,
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: Match.objectLike({ LogFormat: 'JSON', SystemLogLevel: 'WARN', ApplicationLogLevel: 'INFO' }),
      Environment: {
        Variables: Match.objectLike({
          POWERTOOLS_SERVICE_NAME: name,
          POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline',
          POWERTOOLS_LOG_LEVEL: 'INFO',
          STAGE: 'prod',
          SERVICE_VERSION: '1.2.3',
          COMMIT_SHA: '0123456789abcdef0123456789abcdef01234567',
        }),
      },
    });
    orderPipeline.hasResource('AWS::Logs::LogGroup', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: Match.objectLike({ LogGroupName: `/aws/lambda/prod-marketplace-${name}`, RetentionInDays: 30 }),
    });
  });

  test("a stage's log level is the logger's, and Lambda's own filter lets it pass", () => {
    const { orderPipeline: orders, syncJobs: syncs } = synthesize('dev', { logLevel: 'DEBUG' });
    for (const template of [orders, syncs]) {
      template.allResourcesProperties('AWS::Lambda::Function', {
        LoggingConfig: Match.objectLike({ ApplicationLogLevel: 'DEBUG' }),
        Environment: { Variables: Match.objectLike({ POWERTOOLS_LOG_LEVEL: 'DEBUG' }) },
      });
    }
  });

  test('only those that send to their own queue on purpose may invoke themselves through it', () => {
    const allowed = [orderPipeline, stages.prod.syncJobs]
      .flatMap((template) => resources(template, 'AWS::Lambda::Function'))
      .filter(({ Properties }) => Properties.RecursiveLoop !== undefined)
      .map(({ Properties }) => [Properties.FunctionName, Properties.RecursiveLoop]);
    expect(allowed).toEqual([
      ['prod-marketplace-download', 'Allow'],
      ['prod-marketplace-processing', 'Allow'],
      ['prod-marketplace-reconciler', 'Allow'],
    ]);
  });

  test('the reconciler runs hourly, except in dev', () => {
    const rule = { ScheduleExpression: 'rate(1 hour)' };
    orderPipeline.hasResourceProperties('AWS::Events::Rule', { ...rule, State: 'ENABLED' });
    stages.dev.orderPipeline.hasResourceProperties('AWS::Events::Rule', { ...rule, State: 'DISABLED' });
  });
});

describe('the HTTP API', () => {
  const [stage] = resources(orderPipeline, 'AWS::ApiGatewayV2::Stage').map(({ Properties }) =>
    z
      .object({
        AccessLogSettings: z.object({ Format: z.string() }),
        DefaultRouteSettings: z.unknown(),
        RouteSettings: z.record(z.string(), z.unknown()),
      })
      .parse(Properties),
  );
  const routes = resources(orderPipeline, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);

  test('sends everything to the webhook', () => {
    expect(routes.sort()).toEqual(['$default', 'GET /health', 'HEAD /health', 'POST /webhooks/qualia']);
    orderPipeline.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
    orderPipeline.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: '$default' });
  });

  test('gives the webhook a throttle that nobody uses up by calling another route', () => {
    expect(stage?.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 200, ThrottlingBurstLimit: 500 });
    const others = routes.filter((route) => route !== 'POST /webhooks/qualia');
    const small = { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 };
    expect(stage?.RouteSettings).toEqual(Object.fromEntries(others.map((route) => [route, small])));
  });

  test('has its routes before their settings', () => {
    const ids = Object.keys(orderPipeline.findResources('AWS::ApiGatewayV2::Route'));
    orderPipeline.hasResource('AWS::ApiGatewayV2::Stage', { DependsOn: Match.arrayWith(ids.sort()) });
  });

  test('logs each call, with what went wrong before the webhook was reached', () => {
    expect(JSON.parse(stage?.AccessLogSettings.Format ?? '')).toMatchObject({
      route: '$context.routeKey',
      status_code: '$context.status',
      error: '$context.error.message',
      integration_status: '$context.integrationStatus',
      integration_error: '$context.integrationErrorMessage',
    });
  });
});

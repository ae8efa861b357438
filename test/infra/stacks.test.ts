import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { resources, synthesize } from './synth';

const stages = { dev: synthesize('dev'), staging: synthesize('staging'), prod: synthesize('prod') };
const { data, orderPipeline } = stages.prod;
const lambdas = ['webhook', 'download', 'processing', 'reconciler'];
const queues = ['download', 'processing'];

describe.each(Object.entries(stages))('%s', (stage, { report, ...templates }) => {
  test('cdk-nag, the template rules and the constructs report no finding', () => {
    expect(report.map(({ pluginName }) => pluginName)).toContain('AwsSolutions');
    expect(report.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('every acknowledged finding has a reason', () => {
    const reasons = report.flatMap(({ suppressedViolations }) => suppressedViolations.map(({ reason }) => reason));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason.split(' ').length).toBeGreaterThan(6);
  });

  test('the outputs have the names that tools read', () => {
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
      'OperationsTableName',
      'ActionsLogGroupName',
      'ArtifactsBucketName',
      'NetlifeSecretArn',
      'IterableSecretArn',
      'DatabaseSecretArn',
      'PersonalDataKeyArn',
      'AccessLogsBucketName',
    ]);
    expect(names(templates.orderPipeline)).toEqual([
      'ApiUrl',
      'DownloadQueueUrl',
      'DownloadDeadLetterQueueUrl',
      'ProcessingQueueUrl',
      'ProcessingDeadLetterQueueUrl',
      'ReconcilerFunctionName',
    ]);
    expect(names(templates.syncJobs)).toEqual(['IterableExtractFunctionName', 'StateMachineArn']);
  });

  test('no template contains the value of a secret, or makes CloudFormation insert it', () => {
    for (const template of Object.values(templates)) {
      const text = JSON.stringify(template.toJSON());
      for (const syntax of ['{{resolve:', '"SecretString"', '"SecretStringTemplate"'])
        expect(text.includes(syntax)).toBe(false);
    }
  });

  // test/integration/permissions compares the rights of dev with the calls of the Lambdas.
  test('grants the same rights as dev', () => {
    const policiesOf = (name: string, from: Pick<typeof templates, 'orderPipeline' | 'syncJobs'>) =>
      [from.orderPipeline, from.syncJobs]
        .flatMap((template) => resources(template, 'AWS::IAM::Policy'))
        .map((policy) => JSON.stringify(policy).replaceAll(`${name}-`, 'dev-'));
    expect(policiesOf(stage, templates)).toEqual(policiesOf('dev', stages.dev));
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
const deniesPlainHttp = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

describe('a first deployment that is rolled back can be repeated', () => {
  const retained = [data, orderPipeline, stages.prod.syncJobs, stages.prod.observability].flatMap((template) =>
    Object.entries(retainedSchema.parse(template.toJSON()).Resources).filter(([, { DeletionPolicy }]) =>
      DeletionPolicy?.startsWith('Retain'),
    ),
  );
  /** Whether a property fixes the physical name: `FunctionName` of a Function, `LogGroupName` of a LogGroup. */
  const isNamed = ({ Type, Properties }: (typeof retained)[number][1]): boolean => {
    const [, , kind = ''] = Type.split('::');
    return ['Name', `${kind}Name`, `${kind.replace('Global', '')}Name`].some((property) => property in Properties);
  };

  test('a retained resource with a fixed name is deleted if its creation fails', () => {
    const named = retained.filter(([, resource]) => isNamed(resource));
    expect(new Set(named.map(([, { Type }]) => Type))).toEqual(
      new Set(['AWS::Logs::LogGroup', 'AWS::StepFunctions::StateMachine']),
    );
    expect(named).toHaveLength(16);
    expect(named.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'RetainExceptOnCreate')).toEqual([]);
  });

  test('resources with data have generated names and are always retained', () => {
    const generated = retained.filter(([, resource]) => !isNamed(resource));
    expect(generated).toHaveLength(13);
    expect(generated.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain')).toEqual([]);
  });
});

describe('queues', () => {
  test.each(queues)('%s: encrypted, with a retention of two weeks, and dead-lettered after five receives', (name) => {
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

  test('refuse connections without TLS', () => {
    orderPipeline.resourcePropertiesCountIs(
      'AWS::SQS::QueuePolicy',
      { PolicyDocument: { Statement: [Match.objectLike(deniesPlainHttp)] } },
      2 * [...queues, 'reconciler'].length,
    );
  });

  const mappingsOf = (template: typeof data) =>
    resources(template, 'AWS::Lambda::EventSourceMapping').map(({ Properties }) => Properties);

  test('deliver batches, with a result per message', () => {
    const mapping = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
    const inProd = {
      ...mapping,
      BatchSize: 20,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 10 },
    };
    expect(mappingsOf(orderPipeline)).toEqual([
      ...queues.map(() => expect.objectContaining(inProd)),
      expect.objectContaining({ BatchSize: 1 }),
    ]);
    expect(mappingsOf(stages.dev.orderPipeline).slice(0, -1)).toEqual(
      queues.map(() => expect.objectContaining({ ...mapping, BatchSize: 10, MaximumBatchingWindowInSeconds: 0 })),
    );
  });

  test('a deployment leaves paused parts off, and changes nothing else', () => {
    const paused = synthesize('paused');
    const [download, ...others] = mappingsOf(paused.orderPipeline);
    const [running, ...othersRunning] = mappingsOf(orderPipeline);
    // CloudFormation does not touch what the template does not mention: an operator's resume stays in force.
    expect(running).not.toHaveProperty('Enabled');
    expect(download).toEqual({ ...running, Enabled: false });
    expect(others).toEqual(othersRunning);
    const rulesOf = (template: typeof data) =>
      resources(template, 'AWS::Events::Rule').map(({ Properties }) => Properties);
    const [nightly] = rulesOf(stages.prod.syncJobs);
    expect(nightly).toMatchObject({ State: 'ENABLED' });
    expect(rulesOf(paused.syncJobs)).toEqual([{ ...nightly, State: 'DISABLED' }]);
  });

  test("the reconciler's queue: one continuation at a time, invisible for longer than an invocation lasts", () => {
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
  test.each(lambdas)(
    '%s: Node.js 24 on arm64, traced, JSON logs of 30 days, and its name, stage and release in the environment',
    (name) => {
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
    },
  );

  test('the log level of a stage applies to the logger and to the filter of Lambda', () => {
    const { orderPipeline: orders, syncJobs: syncs } = synthesize('debug');
    for (const template of [orders, syncs]) {
      template.allResourcesProperties('AWS::Lambda::Function', {
        LoggingConfig: Match.objectLike({ ApplicationLogLevel: 'DEBUG' }),
        Environment: { Variables: Match.objectLike({ POWERTOOLS_LOG_LEVEL: 'DEBUG' }) },
      });
    }
  });

  test('in prod only the webhook has reserved concurrency, and it covers the burst of the API (decision 9)', () => {
    const reserved = (template: typeof orderPipeline) =>
      resources(template, 'AWS::Lambda::Function').flatMap(({ Properties }) =>
        Properties.ReservedConcurrentExecutions === undefined
          ? []
          : [[Properties.FunctionName, Properties.ReservedConcurrentExecutions]],
      );
    expect(reserved(orderPipeline)).toEqual([['prod-marketplace-webhook', 500]]);
    for (const template of [stages.prod.syncJobs, stages.dev.orderPipeline]) expect(reserved(template)).toEqual([]);
  });

  test('only Lambdas that send to their own queue by design may invoke themselves through it', () => {
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

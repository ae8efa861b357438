import validateAsl from 'asl-validator';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { syncJobNames } from '../../shared/runs/jobs';
import { resources, synthesize } from './synth';

const { dev, prod } = { dev: synthesize('dev'), prod: synthesize('prod') };
const steps = [
  'plan-run',
  'netlife-collect',
  'netlife-merge',
  'iterable-extract',
  'iterable-push',
  'iterable-report',
  'finish-run',
];

const stateSchema = z.looseObject({
  Type: z.string(),
  Next: z.string().optional(),
  Retry: z.array(z.looseObject({ ErrorEquals: z.array(z.string()) })).optional(),
  Catch: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string() })).optional(),
});
type State = z.output<typeof stateSchema>;
const statesSchema = z.record(z.string(), stateSchema);

/** The text of the definition. References to Lambdas are replaced by ARNs. */
const definitionOf = ({ syncJobs }: typeof prod): string => {
  const [machine] = resources(syncJobs, 'AWS::StepFunctions::StateMachine');
  const schema = z.object({
    DefinitionString: z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) }),
  });
  const [, pieces] = schema.parse(machine?.Properties).DefinitionString['Fn::Join'];
  const arn = (piece: unknown) => {
    const {
      'Fn::GetAtt': [id],
    } = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }).parse(piece);
    return `arn:aws:lambda:us-east-1:123456789012:function:${id}`;
  };
  return pieces.map((piece) => (typeof piece === 'string' ? piece : arn(piece))).join('');
};

const allStates = (text: string): Record<string, State> => {
  const found: Record<string, State> = {};
  JSON.parse(text, (key: string, value: unknown) => {
    if (key === 'States') Object.assign(found, statesSchema.parse(value));
    return value;
  });
  return found;
};

describe('the state machine', () => {
  const text = definitionOf(prod);
  const states = allStates(text);
  const tasks = Object.entries(states).filter(([, { Type }]) => Type === 'Task');

  test('is valid Amazon States Language', () => {
    const { isValid, errorsText } = validateAsl(JSON.parse(text));
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  test('is Standard, traced, and logs every event without its data', () => {
    prod.syncJobs.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'prod-marketplace-SyncJobs',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: Match.objectLike({ Level: 'ALL', IncludeExecutionData: false }),
    });
    prod.syncJobs.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/vendedlogs/states/prod-marketplace-SyncJobs',
      RetentionInDays: 30,
    });
  });

  test('has the states of the contract, each of which invokes a Lambda', () => {
    expect(tasks.map(([name]) => name).sort()).toEqual(
      [
        ...['PlanRun', 'CheckLogins', 'CheckDatabase', 'CheckKey', 'CollectPortal', 'MergePortal'],
        ...['ExtractUsers', 'PushUsers', 'Report', 'FinishRun'],
      ].sort(),
    );
    for (const [, task] of tasks) expect(task.Resource).toMatch(/^arn:aws:lambda:/);
  });

  test("has a branch for each sync job, and stores its outcome under the job's name", () => {
    const branches = syncJobNames.map((name, index) => [`${name}.$`, `$[${index}]`]);
    expect(states.Jobs).toMatchObject({
      Branches: syncJobNames.map((name) => ({
        StartAt: expect.stringMatching(new RegExp(`^${name}\\?$`, 'i')),
        States: expect.anything(),
      })),
      ResultSelector: Object.fromEntries(branches),
      ResultPath: '$.outcomes',
    });
  });

  test.each(tasks)('%s: errors of the Lambda service are retried, with full jitter', (_name, task) => {
    expect(task.Retry).toEqual([
      {
        ErrorEquals: expect.arrayContaining([
          'Lambda.ServiceException',
          'Lambda.AWSLambdaException',
          'Lambda.SdkClientException',
          'Lambda.TooManyRequestsException',
          'Lambda.Unknown',
          'Runtime.ExitError',
          'Sandbox.Timedout',
          'States.Timeout',
        ]),
        IntervalSeconds: 2,
        BackoffRate: 2,
        MaxAttempts: 5,
        JitterStrategy: 'FULL',
      },
    ]);
    // The library of the embedded AWS treats unlimited as 60 s.
    expect(task.TimeoutSeconds).toBeGreaterThan(900);
  });

  test('errors are caught in every state of a branch, not in the first and last state', () => {
    const caught = tasks.filter(([, task]) => task.Catch?.[0]?.ErrorEquals.includes('States.ALL'));
    expect(caught.map(([name]) => name).sort()).toEqual(
      ['CollectPortal', 'MergePortal', 'ExtractUsers', 'PushUsers', 'Report'].sort(),
    );
    expect(states.Portals?.Catch?.[0]?.ErrorEquals).toEqual(['States.ALL']);
  });

  test('what a run needs is checked before its jobs, also after a redrive; if a check fails, they run without it', () => {
    expect(states['Redriven?']).toMatchObject({ Choices: [expect.objectContaining({ Next: 'Preflight' })] });
    expect(states.Preflight).toMatchObject({
      Branches: [{ StartAt: 'Logins?' }, { StartAt: 'Database?' }, { StartAt: 'Key?' }],
      ResultSelector: { 'logins.$': '$[0]', 'database.$': '$[1]', 'key.$': '$[2]' },
      ResultPath: '$.preflight',
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.preflight', Next: 'Jobs' }],
      Next: 'Jobs',
    });
    for (const [name, path] of [
      ['Logins', '$.netlife'],
      ['Database', '$.iterable'],
      ['Key', '$.iterable'],
    ] as const) {
      expect(states[`${name}?`]).toMatchObject({
        Choices: [{ Variable: path, IsPresent: true, Next: `Check${name}` }],
        Default: `No${name}`,
      });
      expect(states[`Check${name}`]).toMatchObject({ Parameters: { 'run.$': '$', check: true }, End: true });
      expect(states[`No${name}`]).toMatchObject({ Parameters: { faults: [] } });
    }
  });

  test.each([
    ['PortalCollected?', 'CollectPortal', 'MergePortal'],
    ['PortalMerged?', 'MergePortal', 'PortalOutcome'],
    ['UsersExtracted?', 'ExtractUsers', 'PushUsers'],
    ['UsersPushed?', 'PushUsers', 'Report'],
    ['UsersReported?', 'Report', 'IterableOutcome'],
  ])('%s repeats %s until it is done', (choice, task, next) => {
    expect(states[task]?.Next).toBe(choice);
    expect(states[choice]).toMatchObject({
      Choices: expect.arrayContaining([expect.objectContaining({ BooleanEquals: true, Next: next })]),
      Default: task,
    });
  });

  test('a run that cannot start yet waits and is planned again with its own input; one that is skipped ends', () => {
    expect(states.PlanRun?.Next).toBe('Planned?');
    expect(states['Planned?']).toMatchObject({
      Choices: [
        { Variable: '$.waiting', IsPresent: true, Next: 'WaitForOtherRun' },
        { Variable: '$.skipped', IsPresent: true, Next: 'Done' },
      ],
      Default: 'Preflight',
    });
    expect(states.WaitForOtherRun).toMatchObject({ SecondsPath: '$.waiting.seconds', Next: 'PlanAgain' });
    expect(states.PlanAgain).toMatchObject({ OutputPath: '$.waiting.input', Next: 'PlanRun' });
  });

  test('waits for the requested number of seconds between two turns', () => {
    const choice = { Variable: '$.step.wait_seconds', IsPresent: true, Next: 'WaitForIterable' };
    expect(states['UsersPushed?']).toMatchObject({ Choices: expect.arrayContaining([choice]) });
    expect(states.WaitForIterable).toMatchObject({ Type: 'Wait', SecondsPath: choice.Variable, Next: 'PushUsers' });
    // The turn gets the number of idle turns before it.
    expect(states.PushUsers).toMatchObject({ Parameters: { 'run.$': '$' }, ResultPath: '$.step' });
  });

  test('a portal is merged even if its collection failed', () => {
    expect(states.CollectPortal?.Catch?.[0]).toMatchObject({ ResultPath: '$.collected', Next: 'MergePortal' });
    // If the merge fails too, both errors are reported.
    expect(states.PortalFailed).toMatchObject({ Parameters: { 'collected.$': '$.collected' } });
  });

  test('the report is written even if the extraction or the push failed', () => {
    for (const name of ['ExtractUsers', 'PushUsers']) {
      expect(states[name]?.Catch?.[0]).toMatchObject({ ResultPath: '$.fault', Next: 'Report' });
    }
    // If the report fails too, the state is passed on with both errors.
    expect(states.Report?.Catch?.[0]).toMatchObject({ ResultPath: '$.error', Next: 'IterableFailed' });
    expect(states.IterableFailed).toEqual({ Type: 'Pass', End: true });
  });

  test.each(['CollectPortal', 'MergePortal'])(
    '%s receives the execution, which contains the number of redrives',
    (name) => {
      expect(states[name]).toMatchObject({ Parameters: { 'execution.$': '$$.Execution' } });
    },
  );

  test('uses only features that every interpreter of the language supports', () => {
    for (const word of ['JSONata', '"Assign"', 'ItemReader', 'ResultWriter', 'waitForTaskToken'])
      expect(text).not.toContain(word);
  });
});

test('the nightly schedule is enabled only in prod, and skips a run that another one prevents', () => {
  const rule = {
    ScheduleExpression: 'cron(0 2 * * ? *)',
    Targets: [Match.objectLike({ Input: '{"after":"skip","netlife":{},"iterable":{"only_changed":true}}' })],
  };
  prod.syncJobs.hasResourceProperties('AWS::Events::Rule', { ...rule, State: 'ENABLED' });
  dev.syncJobs.hasResourceProperties('AWS::Events::Rule', { ...rule, State: 'DISABLED' });
});

test.each(steps)('%s has a timeout of 15 minutes and the names of the tables and the bucket', (name) => {
  prod.syncJobs.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: `prod-marketplace-${name}`,
    Timeout: 900,
    Environment: {
      Variables: Match.objectLike({
        POWERTOOLS_SERVICE_NAME: name,
        SYNC_RUNS_TABLE_NAME: Match.anyValue(),
        OPERATIONS_TABLE_NAME: Match.anyValue(),
        ARTIFACTS_BUCKET_NAME: Match.anyValue(),
      }),
    },
  });
});

test('runs and their files are kept for 90 days', () => {
  prod.data.hasResource('AWS::DynamoDB::GlobalTable', {
    DeletionPolicy: 'Retain',
    Properties: Match.objectLike({
      KeySchema: [{ AttributeName: 'run_id', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    }),
  });
  prod.data.hasResourceProperties('AWS::S3::Bucket', {
    LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 90 })] },
  });
});

test('a missing sync run raises an alarm if there is a schedule', () => {
  const alarm = {
    AlarmName: 'prod-marketplace-no-sync-run',
    Period: 3600,
    EvaluationPeriods: 26,
    TreatMissingData: 'breaching',
  };
  prod.observability.hasResourceProperties('AWS::CloudWatch::Alarm', alarm);
  const names = resources(dev.observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmName);
  expect(names).toEqual(expect.arrayContaining(['dev-marketplace-sync-failed', 'dev-marketplace-sync-timed-out']));
  expect(names).not.toContain('dev-marketplace-no-sync-run');
});

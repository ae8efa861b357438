import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  type CfnStateMachine,
  Choice,
  Condition,
  DefinitionBody,
  DistributedMap,
  type IChainable,
  JitterType,
  JsonPath,
  LogLevel,
  Parallel,
  Pass,
  StateMachine,
  StateMachineType,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke, type LambdaInvokeProps } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { removalOfNamed } from '../removal';
import { LogGroup } from './log-group';

/**
 * The sync Lambdas. A Lambda is named `<job>-<verb>`, after its job; its state in the machine is `<Verb><Object>`
 * (docs/contracts/sync-jobs.md), except `Report`, whose object is the whole job. The Lambdas that open and close a run
 * belong to no job and have their state's name: `plan-run`, `finish-run`.
 */
export type SyncFunctionName =
  | 'plan-run'
  | 'netlife-collect'
  | 'netlife-merge'
  | 'iterable-extract'
  | 'iterable-push'
  | 'iterable-report'
  | 'finish-run';

type SyncFunctions = Readonly<Record<SyncFunctionName, IFunction>>;

/** Longer than the maximum duration of a Lambda, which ends a task first. */
const taskTimeout = Timeout.duration(Duration.minutes(16));

/**
 * Faults of Lambda itself, timeouts and crashes. Every state is safe to repeat: it skips the parts that are written.
 */
const retry = {
  errors: [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
    'Runtime.ExitError',
    'Sandbox.Timedout',
    'States.Timeout',
  ],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 5,
  jitterStrategy: JitterType.FULL,
};

/** Where a branch keeps what its newest task returned, and the error that ended it. */
const stepPath = '$.step';
const caught = { resultPath: '$.error' };
/** Where the branch of a portal keeps how its collecting ended, which may be an error. */
const collectedPath = '$.collected';
/** Where the run keeps what was found before its jobs. */
const preflightPath = '$.preflight';
/** Where Iterable's branch keeps the error that ended it before its report. */
const faultPath = '$.fault';

/**
 * The state machine `SyncJobs`: plans a run, checks what it needs, runs the jobs side by side, and reports. A job that
 * fails does not stop the other; `FinishRun` then fails the execution. There is no `Fail` state, because a redrive starts
 * at the state that failed: `FinishRun` sees that it was redriven and sends the run through its jobs again, which resume
 * where they stopped.
 */
export class SyncStateMachine extends Construct {
  readonly machine: StateMachine;
  /** The physical name, which is also the name of its segments in X-Ray. */
  readonly name: string;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, functions }: { config: Config; functions: SyncFunctions }) {
    super(scope, id);
    this.name = `${config.stage}-marketplace-SyncJobs`;
    this.logGroup = new LogGroup(this, 'logs', { config, name: `/aws/vendedlogs/states/${this.name}` });
    this.machine = new StateMachine(this, 'machine', {
      stateMachineName: this.name,
      comment: 'The Netlife and the Iterable sync. Its input: docs/runbook.md.',
      definitionBody: DefinitionBody.fromChainable(this.definition(functions)),
      timeout: Duration.hours(24),
      tracingEnabled: true,
      logs: { destination: this.logGroup, level: LogLevel.ALL, includeExecutionData: false },
      removalPolicy: removalOfNamed(config),
    });
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'The delivery of logs and traces has no resources to name: its actions take only "*".',
    });
    const machineId = Stack.of(this).getLogicalId(this.machine.node.defaultChild as CfnStateMachine);
    for (const executions of [':*', '/Portals:*']) {
      Validations.of(this.machine).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"${machineId}"}]}]}${executions}]`,
        reason:
          'Step Functions names the child executions of the portals: it stops, describes and redrives only those.',
      });
    }
    for (const lambda of Object.values(functions)) {
      Validations.of(this.machine).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(lambda.node.defaultChild as CfnFunction)}.Arn>:*]`,
        reason: 'The wildcard is for the versions of one Lambda, which CDK lets a state machine invoke as well.',
      });
    }
  }

  private definition(functions: SyncFunctions): IChainable {
    const plan = this.task('PlanRun', functions['plan-run'], {
      payload: TaskInput.fromObject({ input: JsonPath.entirePayload, execution: JsonPath.objectAt('$$.Execution') }),
    });
    const jobs = this.sideBySide({ netlife: this.netlife(functions), iterable: this.iterable(functions) });
    const finish = this.task('FinishRun', functions['finish-run'], {
      payload: TaskInput.fromObject({ run: JsonPath.entirePayload, execution: JsonPath.objectAt('$$.Execution') }),
    });
    const done = new Succeed(this, 'Done');
    const preflight = this.preflight(functions, jobs);
    const isRedriven = new Choice(this, 'Redriven?').when(Condition.booleanEquals('$.again', true), preflight);
    jobs.next(finish).next(isRedriven.otherwise(done));
    // Another run holds a lease: `PlanRun` tries again with the same input.
    const wait = new Wait(this, 'WaitForOtherRun', { time: WaitTime.secondsPath('$.waiting.seconds') });
    const again = new Pass(this, 'PlanAgain', { outputPath: '$.waiting.input' });
    const isPlanned = new Choice(this, 'Planned?')
      .when(Condition.isPresent('$.waiting'), wait.next(again).next(plan))
      .when(Condition.isPresent('$.skipped'), done);
    return plan.next(isPlanned.otherwise(preflight));
  }

  /**
   * Checks the columns of the query, Iterable's key and every portal's login side by side, in the Lambdas that use them:
   * only these have the secrets and the network. If a check itself fails, the jobs run without it and find out.
   */
  private preflight(functions: SyncFunctions, jobs: Parallel): Parallel {
    const branch = (id: string, name: SyncFunctionName, path: string): IChainable => {
      const task = this.task(`Check${id}`, functions[name], {
        payload: TaskInput.fromObject({ run: JsonPath.entirePayload, check: true }),
      });
      const nothing = new Pass(this, `No${id}`, { parameters: { faults: [] } });
      return new Choice(this, `${id}?`).when(Condition.isPresent(path), task).otherwise(nothing);
    };
    const preflight = new Parallel(this, 'Preflight', {
      resultSelector: { 'logins.$': '$[0]', 'database.$': '$[1]', 'key.$': '$[2]' },
      resultPath: preflightPath,
    }).branch(
      branch('Logins', 'netlife-collect', '$.netlife'),
      branch('Database', 'iterable-extract', '$.iterable'),
      branch('Key', 'iterable-push', '$.iterable'),
    );
    preflight.addCatch(jobs, { resultPath: preflightPath }).next(jobs);
    return preflight;
  }

  /** Runs the branches of the jobs; the outcome of each is kept by the job's name. */
  private sideBySide(branches: Readonly<Record<string, IChainable>>): Parallel {
    const outcomes = Object.keys(branches).map((name, index) => [`${name}.$`, `$[${index}]`]);
    const parallel = new Parallel(this, 'Jobs', {
      resultSelector: Object.fromEntries(outcomes),
      resultPath: '$.outcomes',
    });
    return parallel.branch(...Object.values(branches));
  }

  /**
   * One child execution per portal: a portal that fails does not stop the others, and what was collected of it is merged.
   * A child has its own history, so that the limit of 25,000 events does not limit the number of portals.
   */
  private netlife(functions: SyncFunctions): IChainable {
    const portalFailed = new Pass(this, 'PortalFailed', {
      parameters: {
        portal: JsonPath.stringAt('$.portal'),
        collected: JsonPath.objectAt(collectedPath),
        error: JsonPath.objectAt('$.error'),
      },
    });
    const state = {
      run: JsonPath.objectAt('$.run'),
      portal: JsonPath.stringAt('$.portal'),
      execution: JsonPath.objectAt('$$.Execution'),
    };
    const merge = this.task('MergePortal', functions['netlife-merge'], {
      payload: TaskInput.fromObject({ ...state, collected: JsonPath.objectAt(collectedPath) }),
      resultPath: stepPath,
    }).addCatch(portalFailed, caught);
    const collect = this.task('CollectPortal', functions['netlife-collect'], {
      payload: TaskInput.fromObject(state),
      resultPath: collectedPath,
    }).addCatch(merge, { resultPath: collectedPath });
    collect.next(this.untilDone('PortalCollected?', collect, merge, collectedPath));
    merge.next(this.untilDone('PortalMerged?', merge, this.outcome('PortalOutcome')));
    const portals = new DistributedMap(this, 'Portals', {
      label: 'Portals',
      mapExecutionType: StateMachineType.STANDARD,
      itemsPath: '$.netlife.portals',
      itemSelector: { run: JsonPath.entirePayload, portal: JsonPath.stringAt('$$.Map.Item.Value') },
      resultSelector: { 'portals.$': '$' },
    })
      .itemProcessor(collect)
      .addCatch(new Pass(this, 'NetlifeFailed', { parameters: { error: JsonPath.objectAt('$.error') } }), caught);
    return this.ifPlanned('Netlife?', '$.netlife', portals);
  }

  /** If an error ends the extraction or the sending, the report covers what was sent before it. */
  private iterable(functions: SyncFunctions): IChainable {
    // Passes the state on unchanged: with the error of the report, and with the fault before it, if there was one.
    const failed = new Pass(this, 'IterableFailed');
    const task = (id: string, name: SyncFunctionName) =>
      this.task(id, functions[name], {
        payload: TaskInput.fromObject({ run: JsonPath.entirePayload }),
        resultPath: stepPath,
      });
    const report = task('Report', 'iterable-report').addCatch(failed, caught);
    const push = task('PushUsers', 'iterable-push').addCatch(report, { resultPath: faultPath });
    const extract = task('ExtractUsers', 'iterable-extract').addCatch(report, { resultPath: faultPath });
    // Iterable may ask for a wait that is longer than a turn.
    const waitPath = `${stepPath}.wait_seconds`;
    const wait = new Wait(this, 'WaitForIterable', { time: WaitTime.secondsPath(waitPath) });
    push.next(this.untilDone('UsersPushed?', push, report).when(Condition.isPresent(waitPath), wait.next(push)));
    report.next(this.untilDone('UsersReported?', report, this.outcome('IterableOutcome')));
    return this.ifPlanned('Iterable?', '$.iterable', extract.next(this.untilDone('UsersExtracted?', extract, push)));
  }

  /** A task that invokes a Lambda. Default payload: the branch's state. */
  private task(id: string, lambdaFunction: IFunction, props: Partial<LambdaInvokeProps> = {}): LambdaInvoke {
    const task = new LambdaInvoke(this, id, {
      lambdaFunction,
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      taskTimeout,
      ...props,
    });
    task.addRetry(retry);
    return task;
  }

  /** Loops back to a worker until it returns `done`. */
  private untilDone(id: string, worker: IChainable, next: IChainable, path = stepPath): Choice {
    return new Choice(this, id).when(Condition.booleanEquals(`${path}.done`, true), next).otherwise(worker);
  }

  /** Ends a branch with what its last task returned. */
  private outcome(id: string): Pass {
    return new Pass(this, id, { outputPath: stepPath });
  }

  /** A job runs if the plan has its key. */
  private ifPlanned(id: string, path: string, job: IChainable): Choice {
    const skipped = new Pass(this, `${id.replace('?', '')}Skipped`, { parameters: { skipped: true } });
    return new Choice(this, id).when(Condition.isPresent(path), job).otherwise(skipped);
  }
}

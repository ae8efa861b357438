import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { CfnFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  DefinitionBody,
  type IChainable,
  JitterType,
  JsonPath,
  LogLevel,
  Map as MapState,
  Parallel,
  Pass,
  StateMachine,
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

/** The Lambda of each state. */
export interface SyncSteps {
  readonly planRun: IFunction;
  readonly collectPortal: IFunction;
  readonly mergePortal: IFunction;
  readonly extractUsers: IFunction;
  readonly pushUsers: IFunction;
  readonly reportUsers: IFunction;
  readonly finishRun: IFunction;
}

/** Longer than any Lambda runs: what ends a task is its Lambda. */
const taskTimeout = Timeout.duration(Duration.minutes(16));

/** Faults of Lambda itself, its timeouts, a process that died: the parts that are written make every state safe to repeat. */
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

/** Where a branch keeps what its newest step returned, and the error that ended it. */
const stepPath = '$.step';
const caught = { resultPath: '$.error' };
/** Where a portal's branch keeps what its collecting ended with, be it an error. */
const collectedPath = '$.collected';
/** Where Iterable's branch keeps the error that ended it before its report. */
const faultPath = '$.fault';

/**
 * The state machine `SyncJobs`: plans a run, does both jobs side by side, and reports. A job that fails does not stop
 * the other; `FinishRun` then fails the execution. It is the state that fails, because a redrive begins at that one: it
 * sees that it was redriven, and sends the run through its jobs again, which go on where they stopped.
 */
export class SyncStateMachine extends Construct {
  readonly machine: StateMachine;
  /** The physical name, and the one of its segments in X-Ray. */
  readonly name: string;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, steps }: { config: Config; steps: SyncSteps }) {
    super(scope, id);
    this.name = `${config.stage}-marketplace-SyncJobs`;
    this.logGroup = new LogGroup(this, 'logs', { config, name: `/aws/vendedlogs/states/${this.name}` });
    this.machine = new StateMachine(this, 'machine', {
      stateMachineName: this.name,
      comment: 'The Netlife and the Iterable sync. Its input: docs/runbook.md.',
      definitionBody: DefinitionBody.fromChainable(this.definition(steps)),
      timeout: Duration.hours(24),
      tracingEnabled: true,
      logs: { destination: this.logGroup, level: LogLevel.ALL, includeExecutionData: false },
      removalPolicy: removalOfNamed(config),
    });
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'The delivery of logs and traces has no resources to name: its actions take only "*".',
    });
    for (const step of Object.values(steps)) {
      Validations.of(this.machine).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(step.node.defaultChild as CfnFunction)}.Arn>:*]`,
        reason: 'The wildcard stands for the versions of one Lambda, which CDK lets a state machine invoke as well.',
      });
    }
  }

  private definition(steps: SyncSteps): IChainable {
    const plan = this.task('PlanRun', steps.planRun, {
      payload: TaskInput.fromObject({ input: JsonPath.entirePayload, execution: JsonPath.objectAt('$$.Execution') }),
    });
    const jobs = new Parallel(this, 'Jobs', { resultPath: '$.outcomes' })
      .branch(this.netlife(steps))
      .branch(this.iterable(steps));
    const finish = this.task('FinishRun', steps.finishRun, {
      payload: TaskInput.fromObject({ run: JsonPath.entirePayload, execution: JsonPath.objectAt('$$.Execution') }),
    });
    return plan
      .next(jobs)
      .next(finish)
      .next(
        new Choice(this, 'Redriven?')
          .when(Condition.booleanEquals('$.again', true), jobs)
          .otherwise(new Succeed(this, 'Done')),
      );
  }

  /** Each portal by itself: one that fails does not stop the others, and what was collected of it is merged. */
  private netlife(steps: SyncSteps): IChainable {
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
    const merge = this.task('MergePortal', steps.mergePortal, {
      payload: TaskInput.fromObject({ ...state, collected: JsonPath.objectAt(collectedPath) }),
      resultPath: stepPath,
    }).addCatch(portalFailed, caught);
    const collect = this.task('CollectPortal', steps.collectPortal, {
      payload: TaskInput.fromObject(state),
      resultPath: collectedPath,
    }).addCatch(merge, { resultPath: collectedPath });
    collect.next(this.untilDone('PortalCollected?', collect, merge, collectedPath));
    merge.next(this.untilDone('PortalMerged?', merge, this.outcome('PortalOutcome')));
    const portals = new MapState(this, 'Portals', {
      itemsPath: '$.netlife.portals',
      itemSelector: { run: JsonPath.entirePayload, portal: JsonPath.stringAt('$$.Map.Item.Value') },
      resultSelector: { 'portals.$': '$' },
    })
      .itemProcessor(collect)
      .addCatch(new Pass(this, 'NetlifeFailed', { parameters: { error: JsonPath.objectAt('$.error') } }), caught);
    return this.ifAsked('Netlife?', '$.netlife', portals);
  }

  /** What was sent until an error ended it is reported all the same. */
  private iterable(steps: SyncSteps): IChainable {
    // It keeps the state as it is: with the error of the report, and the one before it, if any.
    const failed = new Pass(this, 'IterableFailed');
    const task = (id: string, lambda: IFunction) =>
      this.task(id, lambda, {
        payload: TaskInput.fromObject({ run: JsonPath.entirePayload }),
        resultPath: stepPath,
      });
    const report = task('Report', steps.reportUsers).addCatch(failed, caught);
    const push = task('PushUsers', steps.pushUsers).addCatch(report, { resultPath: faultPath });
    const extract = task('ExtractUsers', steps.extractUsers).addCatch(report, { resultPath: faultPath });
    // Iterable may ask for a longer wait than a turn has time for.
    const waitPath = `${stepPath}.wait_seconds`;
    const wait = new Wait(this, 'WaitForIterable', { time: WaitTime.secondsPath(waitPath) });
    push.next(this.untilDone('UsersPushed?', push, report).when(Condition.isPresent(waitPath), wait.next(push)));
    report.next(this.untilDone('UsersReported?', report, this.outcome('IterableOutcome')));
    return this.ifAsked('Iterable?', '$.iterable', extract.next(this.untilDone('UsersExtracted?', extract, push)));
  }

  /** A step; its Lambda gets the branch's state as it is, unless told. */
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

  /** Sends a worker round again until it says that it is done. */
  private untilDone(id: string, worker: IChainable, next: IChainable, path = stepPath): Choice {
    return new Choice(this, id).when(Condition.booleanEquals(`${path}.done`, true), next).otherwise(worker);
  }

  /** Ends a branch with what its last step returned. */
  private outcome(id: string): Pass {
    return new Pass(this, id, { outputPath: stepPath });
  }

  /** A job runs when the plan has its key. */
  private ifAsked(id: string, path: string, job: IChainable): Choice {
    const skipped = new Pass(this, `${id.replace('?', '')}Skipped`, { parameters: { skipped: true } });
    return new Choice(this, id).when(Condition.isPresent(path), job).otherwise(skipped);
  }
}

import { ArnFormat, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Grant, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { NodeFunction } from '../constructs/node-function';
import { type SyncFunctionName, SyncStateMachine } from '../constructs/sync-state-machine';
import type { Data } from './data';

/** Workers stop after 10 minutes; the other 5 are for calls that are then in flight. */
const workerTimeoutSeconds = 900;

/**
 * Both jobs with their defaults, except that Iterable gets only what changed. If another run is in the way, the nightly
 * run is skipped.
 */
const nightlyInput = { after: 'skip', netlife: {}, iterable: { only_changed: true } };

/** The Netlife and the Iterable sync: one state machine, its Lambdas, and the schedule. */
export class SyncJobs extends Stack {
  readonly stateMachine: SyncStateMachine;
  readonly functions: Readonly<Record<SyncFunctionName, NodeFunction>>;
  /** Starts both syncs every night. */
  readonly schedule: Rule;

  constructor(scope: Construct, config: Config, data: Data) {
    super(scope, `${config.stage}-SyncJobs`, {
      description: 'Marketplace event pipeline: the Netlife and the Iterable sync.',
      terminationProtection: config.retainData,
    });

    const portals = {
      NETLIFE_BASE_URL: config.netlifeBaseUrl,
      NETLIFE_EXTRA_PORTALS: config.netlifeExtraPortals.join(','),
    };
    const syncFunction = (
      name: SyncFunctionName,
      description: string,
      environment: Readonly<Record<string, string>> = {},
      network?: ReturnType<typeof this.databaseNetwork>,
    ) =>
      new NodeFunction(this, name, {
        config,
        description,
        timeoutSeconds: workerTimeoutSeconds,
        memoryMb: 1024,
        environment: {
          SYNC_RUNS_TABLE_NAME: data.syncRuns.tableName,
          OPERATIONS_TABLE_NAME: data.operations.tableName,
          ARTIFACTS_BUCKET_NAME: data.artifacts.bucketName,
          // glibc keeps one arena per thread, and each grows to the largest data that ever passed through it.
          MALLOC_ARENA_MAX: '1',
          ...environment,
        },
        smallYoungGeneration: true,
        network,
      });
    this.functions = {
      'plan-run': syncFunction('plan-run', 'Checks the input of a run, and starts or resumes the run.', portals),
      'netlife-collect': syncFunction('netlife-collect', "Collects the contacts of a portal's jobs, job by job.", {
        ...portals,
        NETLIFE_SECRET_ARN: data.netlifeSecret.secretArn,
      }),
      'netlife-merge': syncFunction(
        'netlife-merge',
        "Joins a portal's parts to its contacts file and statistics.",
        portals,
      ),
      'iterable-extract': syncFunction(
        'iterable-extract',
        'Reads the users from MySQL into parts.',
        {
          DATABASE_SECRET_ARN: data.databaseSecret.secretArn,
          // Empty: the secret names the database. A local run sets a URL instead.
          DATABASE_URL: '',
          ITERABLE_SECRET_ARN: data.iterableSecret.secretArn,
        },
        this.databaseNetwork(config),
      ),
      'iterable-push': syncFunction('iterable-push', 'Sends the users to Iterable, part by part.', {
        ITERABLE_API_BASE_URL: config.iterableApiBaseUrl,
        ITERABLE_SECRET_ARN: data.iterableSecret.secretArn,
      }),
      'iterable-report': syncFunction('iterable-report', 'Joins the results of the parts to the report.', {
        TOLERATED_FAILED_USERS_PERCENT: String(config.toleratedFailedUsersPercent),
      }),
      'finish-run': syncFunction(
        'finish-run',
        'Closes a run with its summary, and fails the execution if a job failed.',
        { FAIL_PARTIAL_RUNS: String(config.failPartialRuns) },
      ),
    };

    this.grantAccess(data);
    if (config.databaseVpc) this.allowNetwork(this.functions['iterable-extract']);

    this.stateMachine = new SyncStateMachine(this, 'sync', { config, functions: this.functions });
    this.allowToDescribe(this.functions['plan-run'], this.stateMachine.name);

    this.schedule = new Rule(this, 'nightly', {
      description: 'Runs both syncs.',
      schedule: Schedule.cron({ hour: '2', minute: '0' }),
      enabled: config.syncScheduled && !config.paused.includes('sync'),
      targets: [new SfnStateMachine(this.stateMachine.machine, { input: RuleTargetInput.fromObject(nightlyInput) })],
    });

    if (config.netlifeExtraPortals.length > 0) {
      new CfnOutput(this, 'NetlifeExtraPortals', { value: portals.NETLIFE_EXTRA_PORTALS });
    }
    new CfnOutput(this, 'IterableExtractFunctionName', { value: this.functions['iterable-extract'].functionName });
    new CfnOutput(this, 'StateMachineArn', { value: this.stateMachine.machine.stateMachineArn });
  }

  private grantAccess(data: Data): void {
    const { 'Fn::ImportValue': bucket } = this.resolve(data.exportValue(data.artifacts.bucketArn));
    for (const [name, lambda] of Object.entries(this.functions)) {
      data.syncRuns.grants.actions(lambda, 'dynamodb:UpdateItem');
      // A run takes its leases when it starts, and a worker takes them again after a stop.
      if (name !== 'finish-run') {
        data.syncRuns.grants.actions(lambda, 'dynamodb:GetItem');
        data.operations.grants.actions(lambda, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
      }
      data.grantObjects(data.artifacts, lambda, 'runs/*', 's3:GetObject', 's3:PutObject');
      Validations.of(lambda.executionRole).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucket}/runs/*]`,
        reason: 'Each run has its own folder, named when the run starts: the prefix of all runs is the narrowest name.',
      });
      // A worker that resumes a run lists what is written.
      if (name !== 'plan-run' && name !== 'finish-run') {
        Grant.addToPrincipal({
          grantee: lambda,
          actions: ['s3:ListBucket'],
          resourceArns: [data.artifacts.bucketArn],
        });
      }
    }
    // Lambdas that write files of any length abort uploads that they cannot finish.
    for (const name of ['netlife-merge', 'iterable-extract', 'iterable-report'] as const) {
      data.grantObjects(data.artifacts, this.functions[name], 'runs/*', 's3:AbortMultipartUpload');
    }
    data.grantRead(data.netlifeSecret, this.functions['netlife-collect']);
    data.grantRead(data.databaseSecret, this.functions['iterable-extract']);
    for (const name of ['iterable-extract', 'iterable-push'] as const) {
      data.grantRead(data.iterableSecret, this.functions[name]);
    }
    // The index of the lists of sent users.
    const grantIndex = (name: SyncFunctionName, ...actions: readonly string[]) =>
      data.grantObjects(data.artifacts, this.functions[name], 'sent/iterable.json', ...actions);
    grantIndex('iterable-extract', 's3:GetObject');
    data.grantObjects(
      data.artifacts,
      this.functions['iterable-extract'],
      'usual/iterable.json',
      's3:GetObject',
      's3:PutObject',
    );
    const grantEach = (name: SyncFunctionName, prefix: string, reason: string) => {
      const lambda = this.functions[name];
      data.grantObjects(data.artifacts, lambda, `${prefix}*`, 's3:GetObject', 's3:PutObject');
      Validations.of(lambda.executionRole).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucket}/${prefix}*]`,
        reason,
      });
    };
    grantEach(
      'netlife-merge',
      'usual/netlife/',
      'Each portal has its own object, so that portals that are merged at the same time do not conflict.',
    );
    grantEach(
      'netlife-collect',
      'access-keys/',
      'Each photo job has its own object, named by its portal: the prefix of all jobs is the narrowest name.',
    );
    grantIndex('iterable-push', 's3:GetObject', 's3:PutObject');
    grantIndex('iterable-report', 's3:GetObject', 's3:PutObject');
  }

  /** A run that finds a lease taken asks whether the execution of its holder has ended. */
  private allowToDescribe(lambda: NodeFunction, machineName: string): void {
    const executions = this.formatArn({
      service: 'states',
      resource: 'execution',
      // Not the machine itself, which refers to the Lambda.
      resourceName: `${machineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    Grant.addToPrincipal({ grantee: lambda, actions: ['states:DescribeExecution'], resourceArns: [executions] });
    Validations.of(lambda.executionRole).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${machineName}:*]`,
      reason: 'Executions are named when they start: all executions of the machine are the narrowest name.',
    });
  }

  private databaseNetwork({ databaseVpc }: Config) {
    if (databaseVpc === undefined) return undefined;
    const { securityGroupIds, ...attributes } = databaseVpc;
    return {
      vpc: Vpc.fromVpcAttributes(this, 'database-vpc', attributes),
      securityGroups: securityGroupIds.map((id) => SecurityGroup.fromSecurityGroupId(this, id, id)),
    };
  }

  /** In a VPC, a Lambda creates its own network interfaces. */
  private allowNetwork({ executionRole }: NodeFunction): void {
    executionRole.addManagedPolicy(
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'),
    );
    Validations.of(executionRole).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]',
      reason:
        "AWS's own list of what a Lambda in a VPC needs: network interfaces have no names before they are created.",
    });
  }
}

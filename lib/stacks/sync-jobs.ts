import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Grant, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import { NodeFunction } from '../constructs/node-function';
import { SyncStateMachine } from '../constructs/sync-state-machine';
import type { Data } from './data';

const functionNames = [
  'plan-run',
  'netlife-collect',
  'netlife-merge',
  'iterable-extract',
  'iterable-push',
  'iterable-report',
  'finish-run',
] as const;
type SyncFunctionName = (typeof functionNames)[number];

/** The workers stop by themselves after 10 minutes, and keep the rest for what is then under way. */
const workerTimeoutSeconds = 900;

/** The Netlife and the Iterable sync: one state machine, its Lambdas, and the schedule. */
export class SyncJobs extends Stack {
  readonly stateMachine: SyncStateMachine;
  readonly functions: Readonly<Record<SyncFunctionName, NodeFunction>>;

  constructor(scope: Construct, config: Config, data: Data) {
    super(scope, `${config.stage}-SyncJobs`, {
      description: 'Marketplace event pipeline: the Netlife and the Iterable sync.',
      terminationProtection: config.retainData,
    });

    const portals = {
      NETLIFE_BASE_URL: config.netlifeBaseUrl,
      NETLIFE_EXTRA_PORTALS: config.netlifeExtraPortals.join(','),
    };
    const step = (
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
          ARTIFACTS_BUCKET_NAME: data.artifacts.bucketName,
          // glibc keeps an arena per thread, and each one grows to the largest data that ever passed through it.
          MALLOC_ARENA_MAX: '1',
          ...environment,
        },
        smallYoungGeneration: true,
        network,
      });
    this.functions = {
      'plan-run': step('plan-run', 'Checks the input of a run, and begins it or takes it up again.', portals),
      'netlife-collect': step('netlife-collect', "Collects the contacts of a portal's jobs, job by job.", {
        ...portals,
        NETLIFE_SECRET_ARN: data.netlifeSecret.secretArn,
      }),
      'netlife-merge': step('netlife-merge', "Joins a portal's parts to its contacts file and statistics.", portals),
      'iterable-extract': step(
        'iterable-extract',
        'Reads the users from MySQL into parts.',
        {
          DATABASE_SECRET_ARN: data.databaseSecret.secretArn,
          // Empty: the secret names the database. A local run sets a URL instead.
          DATABASE_URL: '',
        },
        this.databaseNetwork(config),
      ),
      'iterable-push': step('iterable-push', 'Sends the users to Iterable, part by part.', {
        ITERABLE_API_BASE_URL: config.iterableApiBaseUrl,
        ITERABLE_SECRET_ARN: data.iterableSecret.secretArn,
      }),
      'iterable-report': step('iterable-report', 'Joins the results of the parts to the report.'),
      'finish-run': step('finish-run', 'Closes a run with its summary, and fails the execution if a job failed.'),
    };

    this.grantAccess(data);
    if (config.databaseVpc) this.allowNetwork(this.functions['iterable-extract']);

    this.stateMachine = new SyncStateMachine(this, 'sync', {
      config,
      steps: {
        planRun: this.functions['plan-run'],
        collectPortal: this.functions['netlife-collect'],
        mergePortal: this.functions['netlife-merge'],
        extractUsers: this.functions['iterable-extract'],
        pushUsers: this.functions['iterable-push'],
        reportUsers: this.functions['iterable-report'],
        finishRun: this.functions['finish-run'],
      },
    });

    new Rule(this, 'nightly', {
      description: 'Runs both syncs.',
      schedule: Schedule.cron({ hour: '2', minute: '0' }),
      enabled: config.syncScheduled,
      targets: [new SfnStateMachine(this.stateMachine.machine, { input: RuleTargetInput.fromObject({}) })],
    });

    if (config.netlifeExtraPortals.length > 0) {
      new CfnOutput(this, 'NetlifeExtraPortals', { value: portals.NETLIFE_EXTRA_PORTALS });
    }
    new CfnOutput(this, 'StateMachineArn', { value: this.stateMachine.machine.stateMachineArn });
  }

  private grantAccess(data: Data): void {
    const { 'Fn::ImportValue': bucket } = this.resolve(data.exportValue(data.artifacts.bucketArn));
    for (const [name, lambda] of Object.entries(this.functions)) {
      data.syncRuns.grants.actions(lambda, 'dynamodb:UpdateItem');
      data.grantObjects(data.artifacts, lambda, 'runs/*', 's3:GetObject', 's3:PutObject');
      Validations.of(lambda.executionRole).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${bucket}/runs/*]`,
        reason: 'A run has a folder of its own, named when it starts: the prefix of all runs is the narrowest name.',
      });
      // Those that go on where another stopped ask what is written already.
      if (name !== 'plan-run' && name !== 'finish-run') {
        Grant.addToPrincipal({
          grantee: lambda,
          actions: ['s3:ListBucket'],
          resourceArns: [data.artifacts.bucketArn],
        });
      }
    }
    // Those that write files of any length give up an upload that they cannot finish.
    for (const name of ['netlife-merge', 'iterable-extract', 'iterable-report'] as const) {
      data.grantObjects(data.artifacts, this.functions[name], 'runs/*', 's3:AbortMultipartUpload');
    }
    data.grantRead(data.netlifeSecret, this.functions['netlife-collect']);
    data.grantRead(data.databaseSecret, this.functions['iterable-extract']);
    data.grantRead(data.iterableSecret, this.functions['iterable-push']);
  }

  private databaseNetwork({ databaseVpc }: Config) {
    if (databaseVpc === undefined) return undefined;
    const { securityGroupIds, ...attributes } = databaseVpc;
    return {
      vpc: Vpc.fromVpcAttributes(this, 'database-vpc', attributes),
      securityGroups: securityGroupIds.map((id) => SecurityGroup.fromSecurityGroupId(this, id, id)),
    };
  }

  /** Inside of a VPC a Lambda makes its own network interfaces. */
  private allowNetwork({ executionRole }: NodeFunction): void {
    executionRole.addManagedPolicy(
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'),
    );
    Validations.of(executionRole).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]',
      reason: "AWS's own list of what a Lambda in a VPC needs: network interfaces have no names before they are made.",
    });
  }
}

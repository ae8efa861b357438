import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { OrderPipeline } from '../stacks/order-pipeline';
import type { SyncJobs } from '../stacks/sync-jobs';
import type { Alarm } from './alarm';

const alarmArn = { service: 'cloudwatch', resource: 'alarm', arnFormat: ArnFormat.COLON_RESOURCE_NAME };

interface PausedThings {
  readonly pipeline: OrderPipeline;
  readonly syncJobs: SyncJobs;
  readonly alarms: readonly Alarm[];
}

/**
 * The role with which EventBridge Scheduler ends a pause at its time (docs/adr/0022). It can switch on what a pause switches
 * off, and nothing else.
 */
export const createResumeRole = (scope: Construct, { pipeline, syncJobs, alarms }: PausedThings): Role => {
  const role = new Role(scope, 'resume', {
    description: 'Ends pauses of the marketplace event pipeline.',
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  });
  const grant = (action: string, resourceArns: string[]) =>
    Grant.addToPrincipal({ grantee: role, actions: [action], resourceArns });
  grant(
    'lambda:UpdateEventSourceMapping',
    pipeline.mappings.map(({ eventSourceMappingArn }) => eventSourceMappingArn),
  );
  grant('events:EnableRule', [syncJobs.schedule.ruleArn]);
  grant(
    'cloudwatch:EnableAlarmActions',
    alarms
      .filter(({ silentWhilePaused }) => silentWhilePaused.length > 0)
      .map(({ nameInStage }) => Stack.of(scope).formatArn({ ...alarmArn, resourceName: nameInStage })),
  );
  return role;
};

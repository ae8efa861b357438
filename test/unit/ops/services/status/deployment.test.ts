import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { StageConnection } from '../../../../../ops/services/stage-connection';
import { readAlarms, readSchedules } from '../../../../../ops/services/status/deployment';
import { fakeAwsClient } from '../../../../support/aws-client';

const stageWith = (parts: Partial<StageConnection>): StageConnection => parts as StageConnection;

test('counts the alarms of the stage, and shows those that are raised', async () => {
  const since = new Date('2026-01-31T11:00:00Z');
  const { client, inputs } = fakeAwsClient<CloudWatchClient>(() => ({
    MetricAlarms: [
      { AlarmName: 'prod-marketplace-orders-failed', StateValue: 'ALARM', StateUpdatedTimestamp: since },
      { AlarmName: 'prod-marketplace-webhook-5xx', StateValue: 'OK', ActionsEnabled: false },
      { AlarmName: 'prod-marketplace-no-webhooks', StateValue: 'INSUFFICIENT_DATA' },
    ],
  }));
  // A paginator checks the class of its client.
  Object.setPrototypeOf(client, CloudWatchClient.prototype);
  expect(await readAlarms(stageWith({ name: 'prod', cloudWatch: client }))).toEqual({
    total: 3,
    raised: [{ name: 'orders-failed', since, description: '' }],
    silent: ['webhook-5xx'],
  });
  expect(inputs).toEqual([expect.objectContaining({ AlarmNamePrefix: 'prod-marketplace-' })]);
});

test.each([
  ['ENABLED', 'ENABLED', []],
  ['DISABLED', 'ENABLED', ['reconciler']],
  ['DISABLED', 'DISABLED', ['reconciler', 'sync']],
])('the rules %s and %s: nothing starts %j', async (hourly, nightly, disabled) => {
  const lambda = fakeAwsClient<LambdaClient>(() => ({ FunctionArn: 'arn:reconciler' })).client;
  const { client } = fakeAwsClient<EventBridgeClient>(({ TargetArn, Name }) =>
    TargetArn === undefined
      ? { State: Name === 'hourly' ? hourly : nightly }
      : { RuleNames: [TargetArn === 'arn:reconciler' ? 'hourly' : 'nightly'] },
  );
  const stage = stageWith({
    lambda,
    eventBridge: client,
    stateMachineArn: 'arn:sync',
    reconcilerFunctionName: 'reconciler',
  });
  expect((await readSchedules(stage)).off).toEqual(disabled);
});

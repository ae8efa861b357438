import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRuleActions } from '../../../emulator/control-plane/events';
import { startScheduler } from '../../../emulator/control-plane/scheduler';
import { startControlPlane } from '../../../emulator/control-plane/server';
import { createUniversalTargets } from '../../../emulator/control-plane/universal-targets';
import { readMappings } from '../../../emulator/event-source-mapping';
import { startLambdaApi } from '../../../emulator/lambda/api';
import type { Functions, LambdaFunction } from '../../../emulator/lambda/functions';
import { createMappingSwitches } from '../../../emulator/mapping-switches';
import { openOverrides } from '../../../emulator/overrides';
import { applicationOf } from '../../local/fixture/application';
import { noEndpoints } from '../../support/roles';
import { alarm, silentAlarm, startStage } from './operators';

const mapping = (worker: string) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: { EventSourceArn: `arn:queue:${worker}`, FunctionName: `dev-marketplace-${worker}` },
});
const functions: Functions = {
  names: [],
  all: [],
  stop: async () => undefined,
  find: (name) => ({ configuration: { FunctionArn: `arn:function:${name}` } }) as LambdaFunction,
  get: () => {
    throw new Error('Nothing is invoked here');
  },
};

/** A stage with event source mappings that poll nothing, and a nightly rule. */
export const startPausableStage = async () => {
  const stage = await startStage();
  const directory = mkdtempSync(path.join(tmpdir(), 'pausable-'));
  const application = applicationOf({
    download: mapping('download'),
    processing: mapping('processing'),
    nightly: {
      Type: 'AWS::Events::Rule',
      Properties: { Name: 'nightly', State: 'ENABLED', Targets: [{ Arn: stage.workflows.stateMachineArn }] },
    },
  });
  const overrides = openOverrides(path.join(directory, 'switches.json'));
  stage.cloudWatch.load(applicationOf({ late: alarm(silentAlarm) }), overrides);
  const polling = new Set<string>();
  const switches = createMappingSwitches(readMappings(application), overrides, ({ FunctionName }) => {
    polling.add(FunctionName);
    return async () => {
      polling.delete(FunctionName);
    };
  });
  const lambda = await startLambdaApi(
    () => functions,
    undefined,
    () => switches,
  );
  const ruleActions = createRuleActions(application, overrides);
  const control = await startControlPlane(() => ({ ruleActions, scheduler }));
  const endpoints = {
    ...stage.endpoints,
    lambda: lambda.url,
    sts: control.url,
    events: control.url,
    scheduler: control.url,
  };
  const scheduler = startScheduler(
    path.join(directory, 'schedules.json'),
    createUniversalTargets({ ...noEndpoints, ...endpoints }),
  );
  stage.announce({ endpoints });

  const set = (worker: string, enabled: boolean): void =>
    switches.find(({ mapping: { FunctionName } }) => FunctionName.endsWith(worker))?.setEnabled(enabled);

  return {
    ...stage,
    /** Like an operator in the console. */
    switchOff: (worker: string): void => set(worker, false),
    switchOn: (worker: string): void => set(worker, true),
    endpoints,
    /** The workers that receive messages. */
    polling: (): string[] => [...polling].map((name) => name.replace('dev-marketplace-', '')).sort(),
    isScheduled: (): unknown => ruleActions.DescribeRule?.({ Name: 'nightly' }),
    /** Names of the schedules that have not run. */
    schedules: (): string[] => scheduler.names(),
    schedule: (name: string): object => scheduler.act('GET', `dev-marketplace-resume-${name}`, ''),
    stop: async (): Promise<void> => {
      scheduler.stop();
      await Promise.all([lambda.stop(), control.stop()]);
      rmSync(directory, { recursive: true });
      await stage.stop();
    },
  };
};

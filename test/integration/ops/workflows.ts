import { startStepFunctionsApi } from '../../../emulator/step-functions/api';
import type { Machine } from '../../../emulator/step-functions/definition';
import { type Execution, openExecutionStore } from '../../../emulator/step-functions/execution-store';
import type { Executions, Runner } from '../../../emulator/step-functions/executions';

const machine: Machine = {
  name: 'dev-marketplace-SyncJobs',
  arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:dev-marketplace-SyncJobs',
  roleArn: 'arn:aws:iam::000000000000:role/sync',
  definitionText: '{"StartAt":"PlanRun","States":{}}',
  definition: { StartAt: 'PlanRun', States: {} },
  tasks: new Map(),
  distributedMaps: new Map(),
  childStates: new Map(),
};

/** Serves the Step Functions API. Executions run nothing: the test ends them. */
export const startWorkflows = async (directory: string) => {
  const store = openExecutionStore(directory);
  const arnOf = (name: string): string => `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const keep = (execution: Execution): Execution => {
    store.save(execution);
    return execution;
  };
  const runner: Runner = {
    start: ({ arn: stateMachineArn }, name, input) =>
      keep({
        executionArn: arnOf(name),
        stateMachineArn,
        name,
        input,
        status: 'RUNNING',
        startedAt: Date.now(),
        redriveCount: 0,
      }),
    redrive: (_machine, { stoppedAt: _, error: __, cause: ___, ...execution }) =>
      keep({
        ...execution,
        status: 'RUNNING',
        redrivenAt: Date.now(),
        redriveCount: execution.redriveCount + 1,
      }),
  };
  const executions: Executions = {
    runner: async () => runner,
    abort: (execution, reason) => keep({ ...execution, ...reason, status: 'ABORTED', stoppedAt: Date.now() }),
    timeOut: () => undefined,
    stop: async () => undefined,
  };
  const { url, stop } = await startStepFunctionsApi(() => ({ machines: [machine], store, executions }));

  return {
    url,
    stop,
    stateMachineArn: machine.arn,
    arnOf,
    list: store.list,
    find: (name: string): Execution | undefined => store.find(arnOf(name)),
    /** Starts an execution like another operator. */
    start: (name: string, input: object = {}): Execution => runner.start(machine, name, JSON.stringify(input)),
    end: (
      name: string,
      status: Execution['status'],
      failure: { readonly error?: string; readonly cause?: string } = {},
    ): void => {
      const execution = store.find(arnOf(name));
      if (execution === undefined) throw new Error(`There is no execution ${name}`);
      keep({ ...execution, ...failure, status, stoppedAt: Date.now() });
    },
  };
};

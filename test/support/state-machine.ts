import { readStateMachines } from '../../emulator/step-functions/definition';
import type { ExecutionStore } from '../../emulator/step-functions/execution-store';
import { createExecutions } from '../../emulator/step-functions/executions';

/** An ARN of the only function that the tasks of a definition can invoke. */
export const taskArn = 'arn:aws:lambda:us-east-1:000000000000:function:step';

/**
 * Starts an execution of a state machine.
 *
 * @param invoke runs each task; what it throws is the name of the error
 */
export const startMachine = async (
  store: ExecutionStore,
  definition: object,
  input: object,
  invoke: (event: unknown) => Promise<unknown>,
) => {
  const [machine] = readStateMachines({
    directory: '',
    outputs: {},
    resources: (_types, schema) => {
      const properties = schema.parse({ DefinitionString: JSON.stringify(definition), RoleArn: 'role' });
      const resource = { stackName: 's', logicalId: 'l', type: 't', properties: {}, constructId: 'c' };
      return [{ name: 'machine', resource, properties: properties as never }];
    },
  });
  if (machine === undefined) throw new Error('There is no machine');
  const end = Promise.withResolvers<void>();
  const task = {
    throttles: () => false,
    invoke: async (event: string) => {
      try {
        return { payload: JSON.stringify((await invoke(JSON.parse(event))) ?? null) };
      } catch (error) {
        const errorType = error instanceof Error ? error.message : String(error);
        return { payload: JSON.stringify({ errorType }), functionError: 'Unhandled' };
      }
    },
  };
  const executions = createExecutions(
    store,
    () => task as never,
    ({ status }) => {
      if (status !== 'RUNNING') end.resolve();
    },
  );
  const runner = await executions.runner();
  const execution = runner.start(machine, 'mine', JSON.stringify(input));
  return { machine, executions, execution, ended: end.promise };
};

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ExecutionStore, openExecutionStore } from '../../../emulator/step-functions/execution-store';
import { startMachine, taskArn } from '../../support/state-machine';

const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:machine';
const definition = {
  StartAt: 'Portals',
  States: {
    Portals: {
      Type: 'Map',
      Label: 'ByPortal',
      ItemsPath: '$.portals',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Collect',
        States: {
          Collect: {
            Type: 'Task',
            Resource: taskArn,
            Catch: [{ ErrorEquals: ['Refused'], Next: 'Refused' }],
            End: true,
          },
          Refused: { Type: 'Pass', End: true },
        },
      },
      End: true,
    },
  },
};

let directory: string;
let store: ExecutionStore;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'executions-'));
  store = openExecutionStore(directory);
});
afterEach(() => rmSync(directory, { recursive: true }));

const start = (invoke: (portal: unknown) => Promise<unknown>) =>
  startMachine(store, definition, { portals: ['a', 'b'] }, invoke);

const typesOf = (executionArn: string): string[] => store.readHistory(executionArn).map(({ type }) => type);
const children = () => store.list().filter(({ mapRun }) => mapRun !== undefined);

test('each item of a distributed Map has a child execution with its own history', async () => {
  const { execution, ended } = await start(async (portal) => {
    if (portal === 'b') throw new Error('Refused');
    return portal;
  });
  await ended;
  const events = store.readHistory(execution.executionArn);
  expect(events.map(({ type }) => type)).toEqual([
    ...['ExecutionStarted', 'MapStateEntered', 'MapRunStarted', 'MapRunSucceeded', 'MapStateExited'],
    'ExecutionSucceeded',
  ]);
  const [a, b] = children().toSorted((one, other) => one.input.localeCompare(other.input));
  expect(a).toMatchObject({ status: 'SUCCEEDED', input: '"a"', stateMachineArn: `${machineArn}/ByPortal` });
  expect(events[2]).toMatchObject({ mapRunStartedEventDetails: { mapRunArn: a?.mapRun?.arn } });
  expect(typesOf(b?.executionArn ?? '')).toEqual([
    ...['ExecutionStarted', 'TaskStateEntered', 'LambdaFunctionScheduled', 'LambdaFunctionFailed', 'TaskStateExited'],
    ...['PassStateEntered', 'PassStateExited', 'ExecutionSucceeded'],
  ]);
});

test('aborts the child executions with their parent', async () => {
  const released = Promise.withResolvers<void>();
  const { executions, execution } = await start(() => released.promise);
  while (children().length < 2) await new Promise(setImmediate);
  executions.abort(execution, {});
  expect(children().map(({ status }) => status)).toEqual(['ABORTED', 'ABORTED']);
  released.resolve();
  await executions.stop();
});

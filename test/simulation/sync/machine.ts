import type { Context } from 'aws-lambda';
import type { Machine } from '../../../emulator/step-functions/definition';
import type { Execution, ExecutionStore } from '../../../emulator/step-functions/execution-store';
import { createExecutions, type Executions, type Runner } from '../../../emulator/step-functions/executions';
import { lambdaContext } from '../../support/lambda-context';
import type { CallOptions } from '../aws-calls';
import { createLambdaProcess, type LambdaProcess } from '../lambda-process';
import type { SyncHandler } from './lambdas';

const createStore = (): ExecutionStore => {
  const executions = new Map<string, Execution>();
  let events = 0;
  return {
    list: () => [...executions.values()],
    find: (arn) => executions.get(arn),
    save: (execution) => void executions.set(execution.executionArn, execution),
    appendHistory: () => ++events,
    readHistory: () => [],
  };
};

type World = Omit<CallOptions, 'process'>;

export interface MachineOptions {
  readonly machine: Machine;
  /** The maximum difference of a process's clock from the real time. */
  readonly maxSkewMs: number;
  /** The share of invocations that Lambda throttles. */
  readonly throttledShare: () => number;
  /** The handler of a new process. */
  readonly create: (name: string, runId: string, process: LambdaProcess) => SyncHandler;
  /** Receives each error that a Lambda throws. */
  readonly onError: (name: string, runId: string, error: Error) => void;
}

const lambdaTimeoutMs = 15 * 60_000;

/** The name of the processes that check a run before its jobs. */
export const checkName = 'check';

interface Given {
  /** Set by the checks before the jobs. */
  readonly check?: boolean;
  readonly run?: { readonly run_id: string };
  readonly input?: { readonly run_id?: string };
  readonly execution?: { readonly Name: string };
}

/** Lambda: each invocation has a process of its own, which ends with it. */
const createLambdas = ({ scheduler, trace }: World, options: MachineOptions) => {
  const { maxSkewMs, create, onError } = options;
  const processes = new Set<LambdaProcess>();
  let invocations = 0;

  const failed = (errorType: string, errorMessage = '') => ({
    payload: JSON.stringify({ errorType, errorMessage }),
    functionError: 'Unhandled',
  });

  const invoke = async (name: string, event: string) => {
    const { check, run, input, execution } = JSON.parse(event) as Given;
    const runId = run?.run_id ?? input?.run_id ?? execution?.Name ?? '';
    const process = createLambdaProcess(scheduler, `${runId}/${check ? checkName : name}-${++invocations}`);
    process.skewBy((2 * scheduler.choose.fraction() - 1) * maxSkewMs);
    processes.add(process);
    const endsAtMs = scheduler.now() + lambdaTimeoutMs;
    const context: Context = {
      ...lambdaContext({ functionName: name }),
      awsRequestId: process.name.replace('/', '-'),
      getRemainingTimeInMillis: () => endsAtMs - scheduler.now(),
    };
    let hasTimedOut = false;
    const timeout = scheduler.after(lambdaTimeoutMs, () => {
      hasTimedOut = true;
      process.kill();
    });
    trace.add(process.name, 'starts');
    try {
      const ended = create(name, runId, process)(JSON.parse(event), context);
      const result = await Promise.race([ended.then((value) => ({ value })), process.killed]);
      if (result === undefined) {
        trace.add(process.name, hasTimedOut ? 'times out' : 'crashes');
        return hasTimedOut ? failed('Sandbox.Timedout') : failed('Runtime.ExitError');
      }
      trace.add(process.name, `returns ${JSON.stringify(result.value)?.slice(0, 200)}`);
      return { payload: JSON.stringify(result.value ?? null) };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      trace.add(process.name, `throws ${error.name}: ${error.message}`);
      onError(name, runId, error);
      return failed(error.name, error.message);
    } finally {
      timeout.cancel();
      // What the process still waits for never resolves.
      process.kill();
      processes.delete(process);
    }
  };

  return { invoke, processes: (): readonly LambdaProcess[] => [...processes] };
};

/** Step Functions and Lambda: executions of the sync state machine. */
export const createSyncMachine = async (world: World, options: MachineOptions) => {
  const { scheduler, trace } = world;
  const { machine } = options;
  const store = createStore();
  const lambdas = createLambdas(world, options);
  const functionAt = (arn: string) => ({
    throttles: () => scheduler.choose.chance(options.throttledShare()),
    invoke: (event: string) => lambdas.invoke(/-marketplace-([\w-]+)$/.exec(arn)?.[1] ?? '', event),
  });
  const executions: Executions = createExecutions(
    store,
    (arn) => functionAt(arn) as never,
    ({ executionArn, status, error = '' }) => trace.add(nameOf(executionArn), `${status} ${error}`),
  );
  const runner: Runner = await executions.runner();

  const arnOf = (name: string): string => `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const find = (name: string): Execution | undefined => store.find(arnOf(name));
  return {
    processes: lambdas.processes,
    arnOf,
    find,
    hasEnded: (arn: string): boolean => store.find(arn)?.status !== 'RUNNING',
    start: (name: string, input: object): void => void runner.start(machine, name, JSON.stringify(input)),
    redrive: (name: string): void => {
      const execution = find(name);
      if (execution !== undefined && execution.status !== 'RUNNING') runner.redrive(machine, execution);
    },
    abort: (name: string): void => {
      const execution = find(name);
      if (execution?.status === 'RUNNING') executions.abort(execution, {});
    },
  };
};

const nameOf = (arn: string): string => arn.replace(/^.*:/, '');

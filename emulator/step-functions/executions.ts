import * as z from 'zod';
import type { LambdaFunction } from '../lambda/functions';
import { arnOf } from '../resource-types';
import { createHistoryWriter, endChildren } from './child-executions';
import type { Machine } from './definition';
import type { Execution, ExecutionStore } from './execution-store';

/** Starts executions. */
export interface Runner {
  start(machine: Machine, name: string, input: string): Execution;
  /** Continues at the state where the execution ended, with that state's input. */
  redrive(machine: Machine, execution: Execution): Execution;
}

/** Executions of state machines. */
export interface Executions {
  /** Loads the library on the first call. That takes a few hundred milliseconds, which no start should wait for. */
  runner(): Promise<Runner>;
  /** Aborts an execution. As on AWS, running tasks continue, but no new ones start. */
  abort(execution: Execution, reason: { readonly error?: string; readonly cause?: string }): Execution;
  /**
   * Ends the executions that have taken longer than their state machine allows, by a clock that is ahead of the real one.
   * @param durationMs returns how long an execution has taken, from when it was started or redriven
   */
  timeOut(durationMs: (startedAtMs: number) => number): void;
  /** Stops all executions. In the store, they stay RUNNING. */
  stop(): Promise<void>;
}

const loadLibrary = () => import('aws-local-stepfunctions');
type Library = Awaited<ReturnType<typeof loadLibrary>>;

const invocationErrorSchema = z.object({ errorType: z.string() });
const lambdaInvokeSchema = z.object({ FunctionName: z.string(), Payload: z.unknown() });

/** A task's failure, for the library: `Catch` and `Retry` use the name, the message is the cause. */
class TaskError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * @param functionAt finds a function by its ARN or name
 * @param onChange receives each execution when it starts and when it ends
 * @param waitsMs for tests: the duration of a Wait state, by its name, instead of what the definition says
 */
export const createExecutions = (
  store: ExecutionStore,
  functionAt: (arn: string) => LambdaFunction | undefined,
  onChange: (execution: Execution) => void = () => undefined,
  waitsMs: Readonly<Record<string, number>> = {},
): Executions => {
  const running = new Map<string, { readonly machine: Machine; abort(): void; readonly ended: Promise<void> }>();
  let stopped = false;

  const invoke = async (target: string, input: unknown): Promise<unknown> => {
    const lambda = functionAt(target);
    if (!lambda) {
      throw new TaskError('Lambda.ResourceNotFoundException', `Function not found: ${target}`);
    }
    if (lambda.throttles()) {
      throw new TaskError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
    }
    const { payload, functionError } = await lambda.invoke(JSON.stringify(input));
    if (functionError) {
      const { errorType } = invocationErrorSchema.parse(JSON.parse(payload));
      throw new TaskError(errorType, payload);
    }
    return JSON.parse(payload);
  };

  const runTask = async (resource: string, input: unknown): Promise<unknown> => {
    if (!resource.endsWith(':lambda:invoke')) {
      return invoke(resource, input);
    }
    const { FunctionName, Payload } = lambdaInvokeSchema.parse(input);
    return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: await invoke(FunctionName, Payload ?? {}) };
  };

  /** Runs `execution` to its end. Resolves when the result is stored. */
  const run = (
    { StateMachine, ExecutionAbortedError, ExecutionTimeoutError }: Library,
    machine: Machine,
    execution: Execution,
    from: { readonly state: string; readonly input: unknown },
  ) => {
    const { executionArn } = execution;
    // The library checks the content of each state with the language's schema.
    const definition = { ...machine.definition, StartAt: from.state } as unknown as ConstructorParameters<
      typeof StateMachine
    >[0];
    const update = (change: Partial<Execution>) => {
      const current = store.find(executionArn) ?? execution;
      store.save({ ...current, ...change });
    };
    // After a redrive, the states before the first one are unreachable, which validation would report.
    const validationOptions = { noValidate: from.state !== machine.definition.StartAt };
    const { abort, result, eventLogs } = new StateMachine(definition, { validationOptions }).run(asJson(from.input), {
      overrides: {
        waitTimeOverrides: waitsMs,
        taskResourceLocalHandlers: Object.fromEntries(
          [...machine.tasks].map(([state, resource]) => [
            state,
            async (input: unknown) => asJson(await runTask(resource, input)),
          ]),
        ),
      },
      context: {
        Execution: {
          Id: executionArn,
          Name: execution.name,
          RoleArn: machine.roleArn,
          RedriveCount: execution.redriveCount,
          ...(execution.redrivenAt && { RedriveTime: new Date(execution.redrivenAt).toISOString() }),
        },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
    });

    const writer = createHistoryWriter(store, machine, execution);
    const keepHistory = async () => {
      for await (const event of eventLogs) {
        if (isClosed(store.find(executionArn))) {
          return;
        }
        if (event.type === 'StateEntered' && event.state.name in machine.definition.States) {
          update({ reached: { state: event.state.name, input: event.state.input } });
        }
        writer.write(event);
      }
    };
    const history = keepHistory();

    const close = async (change: Partial<Execution> & Pick<Execution, 'status'>, details: Record<string, unknown>) => {
      await history;
      if (stopped || isClosed(store.find(executionArn))) {
        return;
      }
      update({ ...change, stoppedAt: Date.now() });
      endChildren(store, store.find(executionArn) ?? execution);
      onChange(store.find(executionArn) ?? execution);
      const type = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', ABORTED: 'Aborted' } as const;
      const word = change.status === 'RUNNING' ? undefined : type[change.status];
      store.appendHistory(executionArn, {
        type: `Execution${word}`,
        [`execution${word}EventDetails`]: details,
      });
    };
    const ended = result
      .then(
        (value) => {
          const output = JSON.stringify(value);
          return close({ status: 'SUCCEEDED', output }, { output, outputDetails: { truncated: false } });
        },
        (thrown: unknown) => {
          if (thrown instanceof ExecutionAbortedError) {
            return undefined;
          }
          const status = thrown instanceof ExecutionTimeoutError ? 'TIMED_OUT' : 'FAILED';
          const { error, cause } = describe(thrown);
          return close({ status, error, cause }, { error, cause });
        },
      )
      .finally(() => running.delete(executionArn));
    running.set(executionArn, { machine, abort, ended });
  };

  const runnerWith = (library: Library): Runner => ({
    start(machine, name, input) {
      const execution: Execution = {
        executionArn: `${arnOf('states', `execution:${machine.name}`)}:${name}`,
        stateMachineArn: machine.arn,
        name,
        status: 'RUNNING',
        startedAt: Date.now(),
        redriveCount: 0,
        input,
      };
      store.save(execution);
      onChange(execution);
      store.appendHistory(execution.executionArn, {
        type: 'ExecutionStarted',
        executionStartedEventDetails: { input, inputDetails: { truncated: false }, roleArn: machine.roleArn },
      });
      run(library, machine, execution, { state: machine.definition.StartAt, input: JSON.parse(input) });
      return execution;
    },
    redrive(machine, execution) {
      const { stoppedAt: _, error: __, cause: ___, ...kept } = execution;
      const redriven: Execution = {
        ...kept,
        status: 'RUNNING',
        redrivenAt: Date.now(),
        redriveCount: execution.redriveCount + 1,
      };
      store.save(redriven);
      store.appendHistory(execution.executionArn, {
        type: 'ExecutionRedriven',
        executionRedrivenEventDetails: { redriveCount: redriven.redriveCount },
      });
      const { state, input } = execution.reached ?? {
        state: machine.definition.StartAt,
        input: JSON.parse(execution.input),
      };
      run(library, machine, redriven, { state, input });
      return redriven;
    },
  });

  return {
    runner: async () => runnerWith(await loadLibrary()),
    abort(execution, reason) {
      const aborted: Execution = { ...execution, ...reason, status: 'ABORTED', stoppedAt: Date.now() };
      store.save(aborted);
      endChildren(store, aborted);
      onChange(aborted);
      store.appendHistory(execution.executionArn, { type: 'ExecutionAborted', executionAbortedEventDetails: reason });
      running.get(execution.executionArn)?.abort();
      return aborted;
    },
    timeOut(durationMs) {
      for (const [executionArn, { machine, abort }] of running) {
        const execution = store.find(executionArn);
        const { TimeoutSeconds: seconds = Number.POSITIVE_INFINITY } = machine.definition;
        if (!execution || isClosed(execution)) continue;
        if (durationMs(execution.redrivenAt ?? execution.startedAt) < seconds * 1_000) continue;
        const timedOut: Execution = { ...execution, status: 'TIMED_OUT', stoppedAt: Date.now() };
        store.save(timedOut);
        endChildren(store, timedOut);
        onChange(timedOut);
        store.appendHistory(executionArn, { type: 'ExecutionTimedOut', executionTimedOutEventDetails: {} });
        abort();
      }
    },
    async stop() {
      stopped = true;
      const all = [...running.values()];
      for (const { abort } of all) {
        abort();
      }
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
};

const isClosed = (execution: Execution | undefined): boolean =>
  execution !== undefined && execution.status !== 'RUNNING';

/** Unwraps the error that ended an execution. */
const describe = (thrown: unknown): { readonly error: string; readonly cause: string } => {
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return inner instanceof Error
    ? { error: inner.name, cause: inner.message }
    : { error: 'States.Runtime', cause: String(inner) };
};

const jsonSchema = z.json();
type Json = z.infer<typeof jsonSchema>;

const asJson = (value: unknown): Json => jsonSchema.parse(value ?? null);

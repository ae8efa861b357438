import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Action, action, type JsonService, pageOf, ServiceError, serveJsonService } from '../json-service';
import type { LoopbackServer } from '../loopback-server';
import type { Machine } from './definition';
import type { Execution, ExecutionStore } from './execution-store';
import type { Executions } from './executions';

/** The state machines and executions that the API serves. */
export interface StepFunctions {
  readonly machines: readonly Machine[];
  readonly store: ExecutionStore;
  readonly executions: Executions;
}

const defaultPageSize = 100;
const page = {
  maxResults: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .transform((size) => size || defaultPageSize),
  nextToken: z.string().optional(),
};
const executionName = z.string().regex(/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u);
const statusFilter = z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE']).optional();

const service: JsonService = {
  name: 'Step Functions',
  targetPrefix: 'AWSStepFunctions',
  version: '1.0',
  validationError: 'ValidationException',
  tokenError: 'InvalidToken',
};

/** Serves the actions of Step Functions that start, describe, list, stop and redrive executions. */
export const startStepFunctionsApi = (
  stepFunctionsOf: () => StepFunctions | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> => {
  const bootedAt = Date.now();
  const actionsOf = () => {
    const stepFunctions = stepFunctionsOf();
    return stepFunctions && { ...createExecutionActions(stepFunctions), ...createFinders(stepFunctions, bootedAt) };
  };
  return serveJsonService(service, actionsOf, preferredPort);
};

const machineAt = (machines: readonly Machine[], arn: string): Machine => {
  const machine = machines.find((one) => one.arn === arn);
  if (!machine) {
    throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }
  return machine;
};

const executionAt = (store: ExecutionStore, arn: string): Execution => {
  const execution = store.find(arn);
  if (!execution) {
    throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
  return execution;
};

/** The actions that change an execution. */
const createExecutionActions = ({ machines, store, executions }: StepFunctions): Readonly<Record<string, Action>> => ({
  StartExecution: action(
    {
      stateMachineArn: z.string(),
      name: z.string().optional(),
      input: z.string().default('{}'),
      traceHeader: z.string().optional(),
    },
    async ({ stateMachineArn, name = randomUUID(), input }) => {
      const machine = machineAt(machines, stateMachineArn);
      const { executionArn, startedAt } = await startExecution(machine, name, input, { store, executions });
      return { executionArn, startDate: seconds(startedAt) };
    },
  ),
  StopExecution: action(
    { executionArn: z.string(), error: z.string().optional(), cause: z.string().optional() },
    ({ executionArn, ...reason }) => {
      const execution = executionAt(store, executionArn);
      const stopped = execution.status === 'RUNNING' ? executions.abort(execution, defined(reason)) : execution;
      return { stopDate: seconds(stopped.stoppedAt) };
    },
  ),
  RedriveExecution: action(
    { executionArn: z.string(), clientToken: z.string().optional() },
    async ({ executionArn }) => {
      const runner = await executions.runner();
      const execution = executionAt(store, executionArn);
      if (!isRedrivable(execution)) {
        throw new ServiceError('ExecutionNotRedrivable', `Execution is ${execution.status} and cannot be redriven`);
      }
      const { redrivenAt } = runner.redrive(machineAt(machines, execution.stateMachineArn), execution);
      return { redriveDate: seconds(redrivenAt) };
    },
  ),
});

/** The actions that only read. */
const createFinders = ({ machines, store }: StepFunctions, bootedAt: number): Readonly<Record<string, Action>> => ({
  DescribeExecution: action({ executionArn: z.string() }, ({ executionArn }) =>
    describeExecution(executionAt(store, executionArn)),
  ),
  GetExecutionHistory: action(
    { executionArn: z.string(), reverseOrder: z.boolean().default(false), ...page },
    ({ executionArn, reverseOrder, maxResults, nextToken }) => {
      const events = store.readHistory(executionAt(store, executionArn).executionArn);
      const { items, ...next } = pageOf(reverseOrder ? events.toReversed() : events, maxResults, nextToken);
      return { events: items, ...next };
    },
  ),
  ListExecutions: action(
    { stateMachineArn: z.string().optional(), mapRunArn: z.string().optional(), statusFilter, ...page },
    ({ stateMachineArn, mapRunArn, statusFilter, maxResults, nextToken }) => {
      if ((stateMachineArn === undefined) === (mapRunArn === undefined)) {
        throw new ServiceError('ValidationException', 'Give either a stateMachineArn or a mapRunArn.');
      }
      if (stateMachineArn !== undefined) machineAt(machines, stateMachineArn);
      const wanted = store
        .list()
        .filter((one) =>
          mapRunArn === undefined ? one.stateMachineArn === stateMachineArn : one.mapRun?.arn === mapRunArn,
        )
        .filter((one) => !statusFilter || one.status === statusFilter);
      const { items, ...next } = pageOf(wanted, maxResults, nextToken);
      return { executions: items.map(summarize), ...next };
    },
  ),
  ListStateMachines: action(page, ({ maxResults, nextToken }) => {
    const { items, ...next } = pageOf(machines, maxResults, nextToken);
    const stateMachines = items.map(({ arn, name }) => ({
      stateMachineArn: arn,
      name,
      type: 'STANDARD',
      creationDate: seconds(bootedAt),
    }));
    return { stateMachines, ...next };
  }),
  DescribeStateMachineForExecution: action({ executionArn: z.string() }, ({ executionArn }) => {
    const { stateMachineArn } = executionAt(store, executionArn);
    const { arn, name, definitionText, roleArn } = machineAt(machines, stateMachineArn.replace(/\/.*$/, ''));
    return { stateMachineArn: arn, name, definition: definitionText, roleArn, updateDate: seconds(bootedAt) };
  }),
  DescribeStateMachine: action({ stateMachineArn: z.string() }, ({ stateMachineArn }) => {
    const { arn, name, definitionText, roleArn } = machineAt(machines, stateMachineArn);
    return {
      stateMachineArn: arn,
      name,
      status: 'ACTIVE',
      definition: definitionText,
      roleArn,
      type: 'STANDARD',
      creationDate: seconds(bootedAt),
    };
  }),
});

/**
 * Starts an execution, or returns the running execution with the same name and input.
 * @throws {ServiceError} if the name was used for another execution, or the name or the input is not valid
 */
export const startExecution = async (
  machine: Machine,
  name: string,
  input: string,
  { store, executions }: Pick<StepFunctions, 'store' | 'executions'>,
): Promise<Execution> => {
  if (!executionName.safeParse(name).success) {
    throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
  }
  if (!isJson(input)) {
    throw new ServiceError('InvalidExecutionInput', 'Invalid State Machine Execution Input: no JSON');
  }
  const runner = await executions.runner();
  const existing = store.list().find((one) => one.stateMachineArn === machine.arn && one.name === name);
  if (!existing) {
    return runner.start(machine, name, input);
  }
  if (existing.status === 'RUNNING' && existing.input === input) {
    return existing;
  }
  throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.executionArn}'`);
};

const seconds = (ms: number | undefined) => ms && ms / 1000;

const isRedrivable = ({ status }: Execution) => status !== 'RUNNING' && status !== 'SUCCEEDED';

const summarize = (execution: Execution) => {
  const { executionArn, stateMachineArn, name, status, redriveCount } = execution;
  return {
    executionArn,
    stateMachineArn,
    name,
    status,
    startDate: seconds(execution.startedAt),
    stopDate: seconds(execution.stoppedAt),
    redriveCount,
    redriveDate: seconds(execution.redrivenAt),
    mapRunArn: execution.mapRun?.arn,
  };
};

const describeExecution = (execution: Execution) => {
  const { input, output, error, cause } = execution;
  return {
    ...summarize(execution),
    input,
    inputDetails: { included: true },
    output,
    outputDetails: output && { included: true },
    error,
    cause,
    redriveStatus: isRedrivable(execution) ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
  };
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const defined = (reason: { readonly error?: string | undefined; readonly cause?: string | undefined }) => ({
  ...(reason.error !== undefined && { error: reason.error }),
  ...(reason.cause !== undefined && { cause: reason.cause }),
});

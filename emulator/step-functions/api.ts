import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import type { Machine } from './definition';
import type { Execution, ExecutionStore } from './execution-store';
import type { Executions } from './executions';

/** What serves the API: absent until the application is resolved. */
export interface StepFunctions {
  readonly machines: readonly Machine[];
  readonly store: ExecutionStore;
  readonly executions: Executions;
}

/** Thrown for what Step Functions answers with an error of this name. */
class StepFunctionsError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

const page = { maxResults: z.number().int().min(0).max(1000).default(0), nextToken: z.string().optional() };
const DEFAULT_PAGE = 100;
const executionName = z.string().regex(/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u);

const schemas = {
  StartExecution: z.object({
    stateMachineArn: z.string(),
    name: z.string().optional(),
    input: z.string().default('{}'),
  }),
  DescribeExecution: z.object({ executionArn: z.string() }),
  GetExecutionHistory: z.object({ executionArn: z.string(), reverseOrder: z.boolean().default(false), ...page }),
  ListExecutions: z.object({ stateMachineArn: z.string(), statusFilter: z.string().optional(), ...page }),
  StopExecution: z.object({
    executionArn: z.string(),
    error: z.string().optional(),
    cause: z.string().optional(),
  }),
  RedriveExecution: z.object({ executionArn: z.string() }),
  ListStateMachines: z.object(page),
  DescribeStateMachine: z.object({ stateMachineArn: z.string() }),
};
type Action = keyof typeof schemas;

/** Serves the actions of Step Functions that start executions, watch them, end them and take them up again. */
export function startStepFunctionsApi(
  stepFunctionsOf: () => StepFunctions | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> {
  const bootedAt = Date.now();
  return serveOnLoopback(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    const text = (await readBody(request)).toString() || '{}';
    const action = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
    const stepFunctions = stepFunctionsOf();
    if (!stepFunctions || !isAction(action)) {
      answer(400, { __type: 'UnknownOperationException', message: `${action} is not served here` });
      return;
    }
    try {
      answer(200, await act(stepFunctions, action, JSON.parse(text), bootedAt));
    } catch (error) {
      if (!(error instanceof StepFunctionsError) && !(error instanceof z.ZodError)) {
        throw error;
      }
      const name = error instanceof StepFunctionsError ? error.name : 'ValidationException';
      answer(400, { __type: name, message: error.message });
    }
  }, preferredPort);
}

const isAction = (name: string): name is Action => name in schemas;

async function act(
  { machines, store, executions }: StepFunctions,
  action: Action,
  body: unknown,
  bootedAt: number,
): Promise<unknown> {
  const machineAt = (arn: string): Machine => {
    const machine = machines.find((one) => one.arn === arn);
    if (!machine) {
      throw new StepFunctionsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    }
    return machine;
  };
  const executionAt = (arn: string): Execution => {
    const execution = store.find(arn);
    if (!execution) {
      throw new StepFunctionsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    return execution;
  };

  switch (action) {
    case 'StartExecution': {
      const { stateMachineArn, name = randomUUID(), input } = schemas[action].parse(body);
      const { executionArn, startedAt } = await startExecution(machineAt(stateMachineArn), name, input, {
        store,
        executions,
      });
      return { executionArn, startDate: seconds(startedAt) };
    }
    case 'DescribeExecution':
      return describeExecution(executionAt(schemas[action].parse(body).executionArn));
    case 'GetExecutionHistory': {
      const { executionArn, reverseOrder, ...rest } = schemas[action].parse(body);
      const events = store.readHistory(executionAt(executionArn).executionArn);
      const { items, nextToken } = pageOf(reverseOrder ? events.toReversed() : events, rest);
      return { events: items, nextToken };
    }
    case 'ListExecutions': {
      const { stateMachineArn, statusFilter, ...rest } = schemas[action].parse(body);
      const { arn } = machineAt(stateMachineArn);
      const wanted = store
        .list()
        .filter((one) => one.stateMachineArn === arn && (!statusFilter || one.status === statusFilter));
      const { items, nextToken } = pageOf(wanted, rest);
      return { executions: items.map(summarize), nextToken };
    }
    case 'StopExecution': {
      const { executionArn, ...reason } = schemas[action].parse(body);
      const execution = executionAt(executionArn);
      const stopped = execution.status === 'RUNNING' ? executions.abort(execution, defined(reason)) : execution;
      return { stopDate: seconds(stopped.stoppedAt) };
    }
    case 'RedriveExecution': {
      const runner = await executions.runner();
      const execution = executionAt(schemas[action].parse(body).executionArn);
      if (!isRedrivable(execution)) {
        throw new StepFunctionsError(
          'ExecutionNotRedrivable',
          `Execution is ${execution.status} and cannot be redriven`,
        );
      }
      const { redrivenAt } = runner.redrive(machineAt(execution.stateMachineArn), execution);
      return { redriveDate: seconds(redrivenAt) };
    }
    case 'ListStateMachines': {
      const { items, nextToken } = pageOf(machines, schemas[action].parse(body));
      const stateMachines = items.map(({ arn, name }) => ({
        stateMachineArn: arn,
        name,
        type: 'STANDARD',
        creationDate: seconds(bootedAt),
      }));
      return { stateMachines, nextToken };
    }
    case 'DescribeStateMachine': {
      const { arn, name, definitionText, roleArn } = machineAt(schemas[action].parse(body).stateMachineArn);
      return {
        stateMachineArn: arn,
        name,
        status: 'ACTIVE',
        definition: definitionText,
        roleArn,
        type: 'STANDARD',
        creationDate: seconds(bootedAt),
      };
    }
  }
}

/**
 * Starts an execution; one that runs already under the same name, with the same input, is taken for it.
 * @throws {StepFunctionsError} if the name was used otherwise, or the name or the input is not valid
 */
export async function startExecution(
  machine: Machine,
  name: string,
  input: string,
  { store, executions }: Pick<StepFunctions, 'store' | 'executions'>,
): Promise<Execution> {
  if (!executionName.safeParse(name).success) {
    throw new StepFunctionsError('InvalidName', `Invalid Name: '${name}'`);
  }
  if (!isJson(input)) {
    throw new StepFunctionsError('InvalidExecutionInput', 'Invalid State Machine Execution Input: no JSON');
  }
  const runner = await executions.runner();
  const existing = store.list().find((one) => one.stateMachineArn === machine.arn && one.name === name);
  if (!existing) {
    return runner.start(machine, name, input);
  }
  if (existing.status === 'RUNNING' && existing.input === input) {
    return existing;
  }
  throw new StepFunctionsError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.executionArn}'`);
}

const seconds = (ms: number | undefined) => ms && ms / 1000;

const isRedrivable = ({ status }: Execution) => status !== 'RUNNING' && status !== 'SUCCEEDED';

function summarize(execution: Execution) {
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
  };
}

function describeExecution(execution: Execution) {
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
}

/** A token is where the next page begins. */
function pageOf<T>(
  all: readonly T[],
  { maxResults, nextToken }: { maxResults: number; nextToken?: string | undefined },
) {
  const start = Number(nextToken ?? 0);
  const end = start + (maxResults || DEFAULT_PAGE);
  return { items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const defined = (reason: { error?: string | undefined; cause?: string | undefined }) => ({
  ...(reason.error !== undefined && { error: reason.error }),
  ...(reason.cause !== undefined && { cause: reason.cause }),
});

import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { createApplication, refuseUnknownTypes } from './application';
import { readAssembly } from './assembly';
import { readMappings, startEventSourceMapping } from './event-source-mapping';
import { type HttpApi, readHttpApi, startHttpApi } from './http-api/http-api';
import { startLambdaApi } from './lambda/api';
import type { Intercept } from './lambda/call-proxies';
import type { InvocationResult } from './lambda/execution-environment';
import { createFunctions, type Functions, type LogLine } from './lambda/functions';
import { startLogsApi } from './logs/api';
import { readLogs } from './logs/log-files';
import type { Logs } from './logs/logs';
import { startQueuesAndBuckets } from './queues-and-buckets';
import type { Endpoints } from './resource-types';
import { readSchedules } from './schedules';
import { readSecrets, type Secret, startSecrets } from './secrets';
import { readStateFile, refuseMissingStores, writeStateFile } from './state-files';
import { type StepFunctions, startExecution, startStepFunctionsApi } from './step-functions/api';
import { readStateMachines } from './step-functions/definition';
import { openExecutionStore } from './step-functions/execution-store';
import { createExecutions } from './step-functions/executions';
import { createTables, startTables } from './tables';

export type { Intercept, Interception } from './lambda/call-proxies';
export type { LogLine } from './lambda/functions';

/** What runs, where its state is kept, and what differs from a deployment. */
export interface EmbeddedAwsOptions {
  /** Where `cdk synth` wrote to: `cdk.out`. */
  readonly assemblyDirectory: string;
  /** Where everything is kept that survives a restart, and the functions' logs. */
  readonly stateDirectory: string;
  /** JSON object of the secrets' values, see {@link startSecrets}. */
  readonly secretsFile: string;
  /** New values for variables that the template gives a function; variables that it does not give stay missing. */
  readonly environmentOverrides?: Readonly<Record<string, string>>;
  /** Most processes of one function. Default: four for each core. */
  readonly maxConcurrency?: number;
  readonly onLog?: (line: LogLine) => void;
  /** Sees every call that a function makes to a server of this machine, and may cut it. */
  readonly intercept?: Intercept;
  /** What tests change so that many faults at once stay apart, and nobody waits for them. */
  readonly forTests?: {
    /** The longest that a message is delayed, or stays away after its worker has left it. */
    readonly longestHiddenSeconds: number;
    /** In place of what the template says of each event source mapping. */
    readonly batchSize?: number;
    readonly concurrentBatches?: number;
    /** Whether an invocation gets a process of its own, that ends with it. `event`: JSON text. */
    startsCold?(functionName: string, event: string): boolean;
  };
}

/** An application that runs. */
export interface EmbeddedAws {
  /** The HTTP API, without a trailing slash. */
  readonly apiUrl: string;
  readonly endpoints: Endpoints;
  /** Stack name → output name → value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Names of the functions. */
  readonly functions: readonly string[];
  /**
   * Runs a function now.
   * @throws {Error} if there is no such function; its own failure is a result.
   */
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  /**
   * Kills the processes of a function, whatever they are doing; the next invocation gets a new one.
   * @throws {Error} if there is no such function.
   */
  kill(functionName: string): Promise<void>;
  /**
   * Does what one tick of a schedule would do. Of a state machine, the payload names the execution that was started.
   * @param name the schedule's name, its construct id, or the name of what it fires
   * @throws {Error} if there is no such schedule, or it fires something else than a function or a state machine.
   */
  fireSchedule(name: string): Promise<InvocationResult>;
  /** Lets what is under way finish, for a few seconds at most, then stops every process and server. */
  stop(): Promise<void>;
}

/** What `endpoints.json` in the state directory says while an application runs. */
export const runningSchema = z.object({
  pid: z.number(),
  apiUrl: z.string(),
  endpoints: z.object({
    s3: z.string(),
    sqs: z.string(),
    dynamodb: z.string(),
    secretsmanager: z.string(),
    lambda: z.string(),
    sfn: z.string(),
    logs: z.string(),
    api: z.string(),
  }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

type Running = z.infer<typeof runningSchema>;

const port = z.int().min(0).max(65_535);
/** The ports of the last run. */
const portsSchema = z
  .object({ tables: port, stores: port, secrets: port, lambda: port, stepFunctions: port, logs: port, api: port })
  .partial();

const drainMs = 5_000;

/**
 * Runs a synthesized CDK app on this machine. Names, ARNs and, while they are free, ports stay the same from start to
 * start. Whatever was acknowledged before a stop or a kill is there again.
 * @throws {StateError} if the state is damaged, or in use by another process
 * @throws {Error} for an assembly that asks for what this machine does not have; nothing is left running then.
 */
export const startEmbeddedAws = async (options: EmbeddedAwsOptions): Promise<EmbeddedAws> => {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) {
      await stopOne();
    }
  };
  try {
    return { ...(await start(options, (stopOne) => stops.push(stopOne))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** @param onStop takes what must be stopped; the last comes first */
const start = async (
  options: EmbeddedAwsOptions,
  onStop: (stop: () => Promise<unknown>) => void,
): Promise<Omit<EmbeddedAws, 'stop'>> => {
  const assembly = readAssembly(options.assemblyDirectory);
  refuseUnknownTypes(assembly);
  const { forTests } = options;
  const inState = (name: string) => path.join(options.stateDirectory, name);
  mkdirSync(options.stateDirectory, { recursive: true });
  refuseMissingStores(options.stateDirectory);

  // Every server listens before anything is resolved: the URLs of queues and of the API hold ports.
  const ports =
    readStateFile(inState('ports.json'), portsSchema, 'Delete it: the servers then choose other ports.') ?? {};
  let functions: Functions | undefined;
  let secrets: readonly Secret[] | undefined;
  let httpApi: HttpApi | 'starting' | undefined = 'starting';
  let stepFunctions: StepFunctions | undefined;
  let logs: Logs | undefined;
  const functionAt = (nameOrArn: string) => functions?.find(nameOrArn);
  const listening = async <T extends { readonly port: number; stop(): Promise<void> }>(starting: Promise<T>) => {
    const server = await starting;
    onStop(server.stop);
    return server;
  };
  const tables = await listening(startTables(inState('tables'), ports.tables));
  const stores = await listening(
    startQueuesAndBuckets(inState('queues-and-buckets'), ports.stores, forTests?.longestHiddenSeconds),
  );
  const secretsManager = await listening(startSecrets(() => secrets, options.secretsFile, ports.secrets));
  const lambda = await listening(startLambdaApi(() => functions, ports.lambda));
  const workflows = await listening(startStepFunctionsApi(() => stepFunctions, ports.stepFunctions));
  const cloudWatchLogs = await listening(startLogsApi(() => logs, ports.logs));
  const api = await listening(startHttpApi(() => httpApi, functionAt, ports.api));
  writeJson(inState('ports.json'), {
    tables: tables.port,
    stores: stores.port,
    secrets: secretsManager.port,
    lambda: lambda.port,
    stepFunctions: workflows.port,
    logs: cloudWatchLogs.port,
    api: api.port,
  } satisfies z.infer<typeof portsSchema>);

  const endpoints: Endpoints = {
    s3: stores.url,
    sqs: stores.url,
    dynamodb: tables.url,
    secretsmanager: secretsManager.url,
    lambda: lambda.url,
    sfn: workflows.url,
    logs: cloudWatchLogs.url,
    api: api.url,
  };
  const application = createApplication(assembly, endpoints);
  stores.create(application);
  await createTables(application, endpoints.dynamodb);
  secrets = readSecrets(application);
  logs = readLogs(application, inState('logs'));
  functions = createFunctions(application, endpoints, {
    overrides: options.environmentOverrides ?? {},
    maxConcurrency: options.maxConcurrency ?? availableParallelism() * 4,
    logDirectory: inState('logs'),
    onLog: options.onLog,
    intercept: options.intercept,
    startsCold: forTests?.startsCold,
  });
  onStop(functions.stop);
  const { get, names } = functions;

  const { batchSize, concurrentBatches } = forTests ?? {};
  const mappings = readMappings(application, {
    ...(batchSize && { BatchSize: batchSize }),
    ...(concurrentBatches && { ScalingConfig: { MaximumConcurrency: concurrentBatches } }),
  });
  const stopMappings = mappings.map((mapping) =>
    startEventSourceMapping(mapping, stores.source(mapping.EventSourceArn), get(mapping.FunctionName)),
  );
  onStop(() => {
    const patience = new Promise((resolve) => setTimeout(resolve, drainMs).unref());
    return Promise.race([Promise.all(stopMappings.map((stop) => stop())), patience]);
  });
  const store = openExecutionStore(inState('executions'));
  const executions = createExecutions(store, functionAt);
  onStop(executions.stop);
  stepFunctions = { machines: readStateMachines(application), store, executions };
  const { machines } = stepFunctions;
  httpApi = readHttpApi(application);
  const schedules = readSchedules(application);

  const { outputs } = application;
  writeJson(inState('endpoints.json'), {
    pid: process.pid,
    apiUrl: endpoints.api,
    endpoints,
    outputs,
  } satisfies Running);
  onStop(async () => rmSync(inState('endpoints.json'), { force: true }));

  return {
    apiUrl: endpoints.api,
    endpoints,
    outputs,
    functions: names,
    invoke: async (functionName, event) => get(functionName).invoke(JSON.stringify(event)),
    kill: async (functionName) => get(functionName).kill(),
    async fireSchedule(name) {
      const schedule = schedules.find(({ names }) => names.includes(name));
      if (!schedule) {
        throw new Error(`No schedule ${name}; there are ${schedules.map(({ names }) => names[0]).join(', ')}`);
      }
      const event = schedule.event(new Date());
      const machine = machines.find(({ arn }) => arn === schedule.targetArn);
      if (!machine) {
        return get(schedule.targetArn).invoke(event);
      }
      const { executionArn } = await startExecution(machine, randomUUID(), event, { store, executions });
      return { payload: JSON.stringify({ executionArn }) };
    },
  };
};

const writeJson = (file: string, value: unknown) => writeStateFile(file, `${JSON.stringify(value, undefined, 2)}\n`);

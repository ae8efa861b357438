import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type * as z from 'zod';
import { createApplication, refuseUnknownTypes } from './application';
import { readAssembly } from './assembly';
import { startCloudWatch } from './cloudwatch/cloudwatch';
import {
  countLines,
  measureQueues,
  observeInvocations,
  recordExecution,
  recordRequests,
} from './cloudwatch/service-metrics';
import { createRuleActions } from './control-plane/events';
import { startScheduler } from './control-plane/scheduler';
import { type ControlPlane, startControlPlane } from './control-plane/server';
import { createUniversalTargets } from './control-plane/universal-targets';
import { readMappings, startEventSourceMapping } from './event-source-mapping';
import { type AnsweredRequest, accessLine } from './http-api/access-log';
import { type HttpApi, readHttpApi, startHttpApi } from './http-api/http-api';
import { startLambdaApi } from './lambda/api';
import type { Intercept } from './lambda/call-proxies';
import type { InvocationResult } from './lambda/execution-environment';
import { createFunctions, type Functions, type LogLine } from './lambda/functions';
import { startLogsApi } from './logs/api';
import { accessLogFileOf, readFunctionLogGroups, readLogs } from './logs/log-files';
import type { Logs } from './logs/logs';
import { createMappingSwitches, type MappingSwitch } from './mapping-switches';
import { openOverrides } from './overrides';
import { startQueuesAndBuckets } from './queues-and-buckets';
import type { Endpoints } from './resource-types';
import { portsSchema, type runningSchema } from './running';
import { readSchedules, type Schedule, startRates } from './schedules';
import { readSecrets, type Secret, startSecrets } from './secrets';
import { readStateFile, refuseMissingStores, writeStateFile } from './state-files';
import { type StepFunctions, startExecution, startStepFunctionsApi } from './step-functions/api';
import { readStateMachines } from './step-functions/definition';
import { openExecutionStore } from './step-functions/execution-store';
import { createExecutions } from './step-functions/executions';
import { createTables, startTables } from './tables/tables';

export type { Intercept, Interception } from './lambda/call-proxies';
export type { LogLine } from './lambda/functions';

/** What to run, where to keep its state, and how it differs from a deployment. */
export interface EmbeddedAwsOptions {
  /** The output folder of `cdk synth`: `cdk.out`. */
  readonly assemblyDirectory: string;
  /** Holds everything that survives a restart, and the functions' logs. */
  readonly stateDirectory: string;
  /** JSON file with the secrets' values, see {@link startSecrets}. */
  readonly secretsFile: string;
  /** Replaces values of variables that the template gives a function. Variables missing there stay missing. */
  readonly environmentOverrides?: Readonly<Record<string, string>>;
  /** Maximum number of processes per function. Default: four per core. */
  readonly maxConcurrency?: number;
  /** Whether enabled EventBridge rules with a rate fire by the clock. Default: schedules fire only on request. */
  readonly firesRates?: boolean;
  readonly onLog?: (line: LogLine) => void;
  /** Receives every call that a function makes to a server on this machine, and can interrupt it. */
  readonly intercept?: Intercept;
  /** Settings for tests: they separate faults that happen at the same time, and shorten waits. */
  readonly forTests?: {
    /** Maximum time that a message is delayed, or stays invisible after its worker has stopped working on it. */
    readonly longestHiddenSeconds?: number;
    /** Overrides the batch size of every event source mapping. */
    readonly batchSize?: number;
    /** Overrides the batching window of every event source mapping. */
    readonly batchingWindowSeconds?: number;
    readonly concurrentBatches?: number;
    /** Whether an invocation gets its own process, which ends with it. `event`: JSON text. */
    startsCold?(functionName: string, event: string): boolean;
  };
}

/** A running application. */
export interface EmbeddedAws {
  /** URL of the HTTP API, without a trailing slash. */
  readonly apiUrl: string;
  readonly endpoints: Endpoints;
  /** Stack name → output name → value. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Advances the clock of CloudWatch minute by minute, and evaluates the alarms each time. */
  advance(minutes: number): Promise<void>;
  /** Names of the functions. */
  readonly functions: readonly string[];
  /**
   * Invokes a function.
   * @throws {Error} if there is no such function; the function's own failure is a result
   */
  invoke(functionName: string, event: unknown): Promise<InvocationResult>;
  /**
   * Kills the processes of a function, including busy ones. The next invocation gets a new process.
   * @throws {Error} if there is no such function
   */
  kill(functionName: string): Promise<void>;
  /**
   * Fires a schedule once. For a state machine, the payload contains the ARN of the started execution.
   * @param name the schedule's name, its construct id, or the name of its target
   * @throws {Error} if there is no such schedule, or its target is neither a function nor a state machine
   */
  fireSchedule(name: string): Promise<InvocationResult>;
  /** Waits a few seconds for running work, then stops every process and server. */
  stop(): Promise<void>;
}

const drainMs = 5_000;

/**
 * Makes V8 collect garbage early. By default it lets the heap grow with the load: a process whose objects need 35 MB then
 * takes 220 to 330 MB, depending on how long the load lasts. With these flags it takes 180 MB, at the same throughput.
 */
const keepHeapSmall = (): void => {
  setFlagsFromString('--heap-growing-percent=20');
  setFlagsFromString('--semi-space-growth-factor=1');
  // The young generation no longer grows, and one of 1 MB would be collected all the time.
  setFlagsFromString('--min-semi-space-size=8');
  // Helper threads would take the cores that the functions need.
  setFlagsFromString('--single-threaded-gc');
};

/**
 * Runs a synthesized CDK app on this machine. Names and ARNs are the same at every start, and so are ports that are
 * still free. Every acknowledged write survives a stop or a kill.
 * @throws {StateError} if the state is damaged, or in use by another process
 * @throws {Error} if the assembly uses something that the embedded AWS does not support; nothing keeps running then
 */
export const startEmbeddedAws = async (options: EmbeddedAwsOptions): Promise<EmbeddedAws> => {
  keepHeapSmall();
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

/** @param onStop registers a stop function; they run in reverse order */
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

  // All servers listen before references are resolved: the URLs of queues and of the API contain ports.
  const ports =
    readStateFile(inState('ports.json'), portsSchema, 'Delete it: the servers then choose other ports.') ?? {};
  let functions: Functions | undefined;
  let secrets: readonly Secret[] | undefined;
  let httpApi: HttpApi | 'starting' | undefined = 'starting';
  let stepFunctions: StepFunctions | undefined;
  let logs: Logs | undefined;
  let mappings: readonly MappingSwitch[] = [];
  let controlPlane: ControlPlane | undefined;
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
  const lambda = await listening(
    startLambdaApi(
      () => functions,
      ports.lambda,
      () => mappings,
    ),
  );
  const workflows = await listening(startStepFunctionsApi(() => stepFunctions, ports.stepFunctions));
  const cloudWatchLogs = await listening(startLogsApi(() => logs, ports.logs));
  const cloudWatch = await listening(startCloudWatch(stores.publish, ports.cloudWatch));
  const { record } = cloudWatch;
  const countLine = countLines(cloudWatch);
  const readLine = (logGroup: string, message: string) => {
    countLine(logGroup, message);
    cloudWatch.readLine(logGroup, message);
  };
  const control = await listening(startControlPlane(() => controlPlane, ports.control));
  mkdirSync(inState('logs'), { recursive: true });
  const accessLog = openSync(accessLogFileOf(inState('logs')), 'a');
  let isLogging = true;
  onStop(async () => {
    isLogging = false;
    closeSync(accessLog);
  });
  const recordRequest = recordRequests(record);
  const onAnswer = (request: AnsweredRequest, { apiId, accessLog: log }: HttpApi) => {
    recordRequest(apiId, request);
    // A request can end after the server has stopped.
    if (!isLogging || log === undefined) return;
    const message = accessLine(log.format, request);
    writeSync(accessLog, `${JSON.stringify({ timestamp: Date.now(), stream: 'http-api', message })}\n`);
    readLine(log.logGroup, message);
  };
  const api = await listening(startHttpApi(() => httpApi, functionAt, ports.api, onAnswer));
  writeJson(inState('ports.json'), {
    tables: tables.port,
    stores: stores.port,
    secrets: secretsManager.port,
    lambda: lambda.port,
    stepFunctions: workflows.port,
    logs: cloudWatchLogs.port,
    cloudWatch: cloudWatch.port,
    control: control.port,
    api: api.port,
  } satisfies z.infer<typeof portsSchema>);

  const endpoints: Endpoints = {
    s3: stores.url,
    sns: stores.url,
    sqs: stores.url,
    dynamodb: tables.url,
    secretsmanager: secretsManager.url,
    lambda: lambda.url,
    sfn: workflows.url,
    logs: cloudWatchLogs.url,
    cloudwatch: cloudWatch.url,
    sts: control.url,
    events: control.url,
    scheduler: control.url,
    api: api.url,
  };
  const application = createApplication(assembly, endpoints);
  stores.create(application);
  await createTables(application, endpoints.dynamodb);
  secrets = readSecrets(application);
  logs = readLogs(application, inState('logs'));
  const overrides = openOverrides(inState('switches.json'));
  cloudWatch.load(application, overrides);
  measureQueues(cloudWatch, stores.depths);
  const logGroups = readFunctionLogGroups(application);
  functions = createFunctions(application, endpoints, {
    overrides: options.environmentOverrides ?? {},
    maxConcurrency: options.maxConcurrency ?? availableParallelism() * 4,
    logDirectory: inState('logs'),
    onLog(line) {
      readLine(logGroups.get(line.function) ?? '', line.message);
      options.onLog?.(line);
    },
    intercept: options.intercept,
    startsCold: forTests?.startsCold,
    observerOf: observeInvocations(record),
  });
  onStop(functions.stop);
  const { get, names } = functions;

  const { batchSize, batchingWindowSeconds, concurrentBatches } = forTests ?? {};
  const declared = readMappings(application, {
    ...(batchSize && { BatchSize: batchSize }),
    ...(batchingWindowSeconds !== undefined && { MaximumBatchingWindowInSeconds: batchingWindowSeconds }),
    ...(concurrentBatches && { ScalingConfig: { MaximumConcurrency: concurrentBatches } }),
  });
  mappings = createMappingSwitches(declared, overrides, (mapping) =>
    startEventSourceMapping(mapping, stores.source(mapping.EventSourceArn), get(mapping.FunctionName)),
  );
  onStop(() => {
    const timeout = new Promise((resolve) => setTimeout(resolve, drainMs).unref());
    return Promise.race([Promise.all(mappings.map(({ stop }) => stop())), timeout]);
  });
  const store = openExecutionStore(inState('executions'));
  const executions = createExecutions(store, functionAt, recordExecution(record));
  onStop(executions.stop);
  cloudWatch.onMinute((_record, endMs) =>
    executions.timeOut((startedAtMs) => endMs - cloudWatch.clock.at(startedAtMs)),
  );
  stepFunctions = { machines: readStateMachines(application), store, executions };
  const { machines } = stepFunctions;
  httpApi = readHttpApi(application);
  const schedules = readSchedules(application);
  const scheduler = startScheduler(inState('schedules.json'), createUniversalTargets(endpoints));
  onStop(async () => scheduler.stop());
  controlPlane = { ruleActions: createRuleActions(application, overrides), scheduler };

  const fire = async (schedule: Schedule): Promise<InvocationResult> => {
    const event = schedule.event(new Date());
    const machine = machines.find(({ arn }) => arn === schedule.targetArn);
    if (!machine) return get(schedule.targetArn).invoke(event);
    const { executionArn } = await startExecution(machine, randomUUID(), event, { store, executions });
    return { payload: JSON.stringify({ executionArn }) };
  };
  if (options.firesRates) {
    const stopRates = startRates(schedules, overrides.read, (schedule) => void fire(schedule));
    onStop(async () => stopRates());
  }

  const { outputs } = application;
  writeJson(inState('endpoints.json'), {
    pid: process.pid,
    apiUrl: endpoints.api,
    endpoints,
    outputs,
  } satisfies z.infer<typeof runningSchema>);
  onStop(async () => rmSync(inState('endpoints.json'), { force: true }));

  return {
    apiUrl: endpoints.api,
    endpoints,
    outputs,
    advance: cloudWatch.advance,
    functions: names,
    invoke: async (functionName, event) => get(functionName).invoke(JSON.stringify(event)),
    kill: async (functionName) => get(functionName).kill(),
    async fireSchedule(name) {
      const schedule = schedules.find(({ names }) => names.includes(name));
      if (!schedule) {
        throw new Error(
          `There is no schedule ${name}. The schedules are: ${schedules.map(({ names }) => names[0]).join(', ')}`,
        );
      }
      return fire(schedule);
    },
  };
};

const writeJson = (file: string, value: unknown) => writeStateFile(file, `${JSON.stringify(value, undefined, 2)}\n`);

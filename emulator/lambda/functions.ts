import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Application } from '../application';
import type { Endpoints } from '../resource-types';
import type { Intercept } from './call-proxies';
import { type FunctionDefinition, startExecutionEnvironment } from './execution-environment';
import { type FunctionConfiguration, readFunctions } from './function-definition';
import { createFunctionPool, type FunctionPool, type InvocationObserver } from './function-pool';
import { isRecursiveLoop } from './trace';

/** One log line of a function, with the fields that CloudWatch stores. */
export interface LogLine {
  /** Unix time in ms. */
  readonly timestamp: number;
  readonly function: string;
  /** The log stream; each process of the function has its own. */
  readonly stream: string;
  readonly message: string;
}

/** A function of a running application. */
export interface LambdaFunction extends FunctionPool {
  /** The response to `GetFunctionConfiguration`. */
  readonly configuration: FunctionConfiguration;
  /**
   * Whether Lambda stops an invocation that a request with this trace header would cause: it belongs to a recursive
   * loop, and the function does not allow loops. Writes a line to the function's log if so.
   */
  stopsLoop(cause: string | undefined): boolean;
}

/** The functions of an application. */
export interface Functions {
  readonly names: readonly string[];
  readonly all: readonly LambdaFunction[];
  find(nameOrArn: string): LambdaFunction | undefined;
  /** @throws {Error} if there is no such function */
  get(nameOrArn: string): LambdaFunction;
  /** Kills every process and closes the logs. */
  stop(): Promise<void>;
}

/** Log stream of the lines that Lambda itself writes. */
const serviceStream = 'lambda-service';

/** The log file of a function. Each line is a {@link LogLine} as JSON. */
export const logFileOf = (logDirectory: string, functionName: string): string =>
  path.join(logDirectory, `${functionName}.ndjson`);

/**
 * Prepares every function of the application. Their log lines are appended to the file that {@link logFileOf} returns.
 * @param settings `overrides`: new values for variables in the template; `maxConcurrency`: maximum number of processes
 * per function, lower if the template reserves less
 */
export const createFunctions = (
  application: Application,
  endpoints: Endpoints,
  settings: {
    readonly overrides: Readonly<Record<string, string>>;
    readonly maxConcurrency: number;
    readonly logDirectory: string;
    readonly onLog: ((line: LogLine) => void) | undefined;
    readonly intercept: Intercept | undefined;
    readonly startsCold: ((functionName: string, event: string) => boolean) | undefined;
    readonly observerOf?: (functionName: string) => InvocationObserver;
  },
): Functions => {
  mkdirSync(settings.logDirectory, { recursive: true });
  const logs = new Set<number>();
  const functions = new Map<string, LambdaFunction>();
  for (const { definition, reservedConcurrency, configuration } of readFunctions(
    application,
    endpoints,
    settings.overrides,
  )) {
    const log = openSync(logFileOf(settings.logDirectory, definition.name), 'a');
    logs.add(log);
    const onLine = (message: string, stream: string) => {
      const line: LogLine = { timestamp: Date.now(), function: definition.name, stream, message };
      // The last output of a killed process can arrive after the end of the log.
      if (logs.has(log)) {
        // A write to the disk's cache takes less time than its way to another thread and back.
        writeSync(log, `${JSON.stringify(line)}\n`);
      }
      settings.onLog?.(line);
    };
    const limits = { reserved: reservedConcurrency, maxProcesses: settings.maxConcurrency };
    const start = () => startExecutionEnvironment(definition, onLine, settings.intercept);
    const startsCold = (event: string) => settings.startsCold?.(definition.name, event) ?? false;
    functions.set(definition.name, {
      ...createFunctionPool(definition, limits, start, startsCold, settings.observerOf?.(definition.name)),
      configuration,
      stopsLoop(cause) {
        const stops = definition.recursiveLoop === 'Terminate' && isRecursiveLoop(definition.arn, cause);
        if (stops) {
          onLine(stoppedLoopLine(definition), serviceStream);
        }
        return stops;
      },
    });
  }
  const find = (nameOrArn: string) => functions.get(nameOrArn.replace(/^.*function:/, ''));
  return {
    names: [...functions.keys()],
    all: [...functions.values()],
    find,
    get(nameOrArn) {
      const found = find(nameOrArn);
      if (!found) {
        throw new Error(`There is no function ${nameOrArn}. The functions are: ${[...functions.keys()].join(', ')}`);
      }
      return found;
    },
    async stop() {
      await Promise.all([...functions.values()].map((one) => one.stop()));
      for (const log of logs) {
        logs.delete(log);
        closeSync(log);
      }
    },
  };
};

/** AWS reports a stopped loop by e-mail and a metric. Here, a log line does. */
const stoppedLoopLine = ({ name, logFormat }: FunctionDefinition): string => {
  const time = new Date().toISOString();
  const record = `RecursiveInvocationException: stopped a recursive loop of ${name}; its RecursiveLoop is not Allow`;
  return logFormat === 'JSON' ? JSON.stringify({ time, type: 'platform.fault', record }) : `${time} ${record}`;
};

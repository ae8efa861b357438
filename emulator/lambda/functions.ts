import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Application } from '../application';
import type { Endpoints } from '../resource-types';
import type { Intercept } from './call-proxies';
import { type FunctionDefinition, startExecutionEnvironment } from './execution-environment';
import { type FunctionConfiguration, readFunctions } from './function-definition';
import { createFunctionPool, type FunctionPool } from './function-pool';
import { isRecursiveLoop } from './trace';

/** One line that a function wrote, as CloudWatch would hold it. */
export interface LogLine {
  /** Unix time in ms. */
  readonly timestamp: number;
  readonly function: string;
  /** The log stream, one for each process of the function. */
  readonly stream: string;
  readonly message: string;
}

/** A function that can be invoked. */
export interface LambdaFunction extends FunctionPool {
  /** What `GetFunctionConfiguration` answers. */
  readonly configuration: FunctionConfiguration;
  /**
   * Whether Lambda stops the invocation that a request with this trace header would lead to: it is one of a recursive
   * loop, which the function does not allow. Each stop is a line in the function's log.
   */
  stopsLoop(cause: string | undefined): boolean;
}

/** The functions of an application, by name or ARN. */
export interface Functions {
  readonly names: readonly string[];
  readonly all: readonly LambdaFunction[];
  find(nameOrArn: string): LambdaFunction | undefined;
  /** @throws {Error} if there is no such function. */
  get(nameOrArn: string): LambdaFunction;
  /** Kills every process, and ends the logs. */
  stop(): Promise<void>;
}

/** Of the lines that no process wrote. */
const serviceStream = 'lambda-service';

/** Where the lines of a function are: each a {@link LogLine} as JSON. */
export const logFileOf = (logDirectory: string, functionName: string): string =>
  path.join(logDirectory, `${functionName}.ndjson`);

/**
 * Makes every function of the application ready to be invoked. What they write goes, line by line, to
 * the file that {@link logFileOf} names.
 * @param settings `overrides`: new values for variables that the template has; `maxConcurrency`: most processes of a
 * function, less if the template reserves less
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
  },
): Functions => {
  mkdirSync(settings.logDirectory, { recursive: true });
  const logs: ReturnType<typeof createWriteStream>[] = [];
  const functions = new Map<string, LambdaFunction>();
  for (const { definition, reservedConcurrency, configuration } of readFunctions(
    application,
    endpoints,
    settings.overrides,
  )) {
    const log = createWriteStream(logFileOf(settings.logDirectory, definition.name), { flags: 'a' });
    logs.push(log);
    const onLine = (message: string, stream: string) => {
      const line: LogLine = { timestamp: Date.now(), function: definition.name, stream, message };
      log.write(`${JSON.stringify(line)}\n`);
      settings.onLog?.(line);
    };
    const limits = { reserved: reservedConcurrency, maxProcesses: settings.maxConcurrency };
    const start = () => startExecutionEnvironment(definition, onLine, settings.intercept);
    const startsCold = (event: string) => settings.startsCold?.(definition.name, event) ?? false;
    functions.set(definition.name, {
      ...createFunctionPool(definition, limits, start, startsCold),
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
        throw new Error(`No function ${nameOrArn}; there are ${[...functions.keys()].join(', ')}`);
      }
      return found;
    },
    async stop() {
      await Promise.all([...functions.values()].map((one) => one.stop()));
      await Promise.all(logs.map((log) => new Promise<void>((resolve) => log.end(resolve))));
    },
  };
};

/** AWS reports a stopped loop by e-mail and a metric, which nobody sees here. */
const stoppedLoopLine = ({ name, logFormat }: FunctionDefinition): string => {
  const time = new Date().toISOString();
  const record = `RecursiveInvocationException: stopped a recursive loop of ${name}; its RecursiveLoop is not Allow`;
  return logFormat === 'JSON' ? JSON.stringify({ time, type: 'platform.fault', record }) : `${time} ${record}`;
};

import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Application } from '../application';
import type { Endpoints } from '../resource-types';
import type { Intercept } from './call-proxies';
import { startExecutionEnvironment } from './execution-environment';
import { readFunctions } from './function-definition';
import { createFunctionPool, type LambdaFunction } from './function-pool';

/** One line that a function wrote, as CloudWatch would hold it. */
export interface LogLine {
  /** Unix time in ms. */
  readonly timestamp: number;
  readonly function: string;
  readonly message: string;
}

/** The functions of an application, by name or ARN. */
export interface Functions {
  readonly names: readonly string[];
  find(nameOrArn: string): LambdaFunction | undefined;
  /** @throws {Error} if there is no such function. */
  get(nameOrArn: string): LambdaFunction;
  /** Kills every process, and ends the logs. */
  stop(): Promise<void>;
}

/** Where the lines of a function are: each a {@link LogLine} as JSON. */
export const logFileOf = (logDirectory: string, functionName: string): string =>
  path.join(logDirectory, `${functionName}.ndjson`);

/**
 * Makes every function of the application ready to be invoked. What they write goes, line by line, to
 * the file that {@link logFileOf} names.
 * @param settings `overrides`: new values for variables that the template has; `maxConcurrency`: most processes of a
 * function, less if the template reserves less
 */
export function createFunctions(
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
): Functions {
  mkdirSync(settings.logDirectory, { recursive: true });
  const logs: ReturnType<typeof createWriteStream>[] = [];
  const functions = new Map<string, LambdaFunction>();
  for (const { definition, reservedConcurrency } of readFunctions(application, endpoints, settings.overrides)) {
    const log = createWriteStream(logFileOf(settings.logDirectory, definition.name), { flags: 'a' });
    logs.push(log);
    const onLine = (message: string) => {
      const line: LogLine = { timestamp: Date.now(), function: definition.name, message };
      log.write(`${JSON.stringify(line)}\n`);
      settings.onLog?.(line);
    };
    const maxConcurrency = Math.min(reservedConcurrency ?? settings.maxConcurrency, settings.maxConcurrency);
    const start = () => startExecutionEnvironment(definition, onLine, settings.intercept);
    const startsCold = (event: string) => settings.startsCold?.(definition.name, event) ?? false;
    functions.set(definition.name, createFunctionPool(definition, maxConcurrency, start, startsCold));
  }
  const find = (nameOrArn: string) => functions.get(nameOrArn.replace(/^.*function:/, ''));
  return {
    names: [...functions.keys()],
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
}

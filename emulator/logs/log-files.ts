import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { Application } from '../application';
import { readAccessLog } from '../http-api/http-api';
import { logFileOf } from '../lambda/functions';
import { accountId } from '../resource-types';
import type { LogEvent } from './insights/row';
import type { Logs } from './logs';
import { createWrittenLogs } from './written-logs';

const functionSchema = z.object({ LoggingConfig: z.object({ LogGroup: z.string().optional() }).optional() });
const logGroupSchema = z.object({ RetentionInDays: z.coerce.number().optional() });
const queryDefinitionSchema = z.object({
  Name: z.string(),
  QueryString: z.string(),
  LogGroupNames: z.array(z.string()).default([]),
});
const lineSchema = z.object({ timestamp: z.number(), message: z.string(), stream: z.string().default('[$LATEST]') });

/** Reads the log group of each function: function name → log group. */
export const readFunctionLogGroups = (application: Application): ReadonlyMap<string, string> =>
  new Map(
    application
      .resources(['AWS::Lambda::Function'], functionSchema)
      .map(({ name, properties }) => [name, properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`]),
  );

/**
 * Reads the log groups and the saved queries of an application.
 * @param logDirectory contains the log files of its functions
 */
export const readLogs = (application: Application, logDirectory: string): Logs => {
  const filesOf = new Map<string, string[]>();
  for (const [name, logGroup] of readFunctionLogGroups(application)) {
    filesOf.set(logGroup, [...(filesOf.get(logGroup) ?? []), logFileOf(logDirectory, name)]);
  }
  const accessLog = readAccessLog(application);
  if (accessLog) filesOf.set(accessLog.logGroup, [accessLogFileOf(logDirectory)]);
  const declared = application.resources(['AWS::Logs::LogGroup'], logGroupSchema);
  const retention = new Map(declared.map(({ name, properties }) => [name, properties.RetentionInDays]));
  const written = createWrittenLogs(logDirectory);
  return {
    written,
    logGroups: [...new Set([...retention.keys(), ...filesOf.keys()])].map((name) => ({
      name,
      retentionInDays: retention.get(name),
    })),
    queryDefinitions: application
      .resources(['AWS::Logs::QueryDefinition'], queryDefinitionSchema)
      .map(({ resource, properties: { Name, QueryString, LogGroupNames } }) => ({
        id: resource.logicalId,
        name: Name,
        queryString: QueryString,
        logGroupNames: LogGroupNames,
      })),
    async *read(logGroup) {
      for (const file of filesOf.get(logGroup) ?? []) {
        yield* readLogFile(file, `${accountId}:${logGroup}`);
      }
      for (const event of written.read(logGroup)) yield { ...event, log: `${accountId}:${logGroup}` };
    },
  };
};

/** The file with the access log of the HTTP API, in the format of {@link logFileOf}. */
export const accessLogFileOf = (logDirectory: string): string => path.join(logDirectory, 'http-api.ndjson');

/** Reads a file line by line. A missing file has no lines. */
async function* readLogFile(file: string, log: string): AsyncGenerator<LogEvent> {
  if (!existsSync(file)) {
    return;
  }
  for await (const text of createInterface({ input: createReadStream(file) })) {
    // The last line may be incomplete.
    const line = lineSchema.safeParse(parseLine(text)).data;
    if (line) {
      yield { timestamp: line.timestamp, message: line.message, log, logStream: line.stream };
    }
  }
}

const parseLine = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

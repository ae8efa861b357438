import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { Application } from '../application';
import { logFileOf } from '../lambda/functions';
import { accountId } from '../resource-types';
import type { LogEvent } from './insights/row';
import type { Logs } from './logs';

const functionSchema = z.object({ LoggingConfig: z.object({ LogGroup: z.string().optional() }).optional() });
const logGroupSchema = z.object({ RetentionInDays: z.coerce.number().optional() });
const queryDefinitionSchema = z.object({
  Name: z.string(),
  QueryString: z.string(),
  LogGroupNames: z.array(z.string()).default([]),
});
const lineSchema = z.object({ timestamp: z.number(), message: z.string(), stream: z.string().default('[$LATEST]') });

/**
 * Reads the log groups and the saved queries of an application.
 * @param logDirectory contains the log files of its functions
 */
export const readLogs = (application: Application, logDirectory: string): Logs => {
  const filesOf = new Map<string, string[]>();
  for (const { name, properties } of application.resources(['AWS::Lambda::Function'], functionSchema)) {
    const logGroup = properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
    filesOf.set(logGroup, [...(filesOf.get(logGroup) ?? []), logFileOf(logDirectory, name)]);
  }
  const declared = application.resources(['AWS::Logs::LogGroup'], logGroupSchema);
  const retention = new Map(declared.map(({ name, properties }) => [name, properties.RetentionInDays]));
  return {
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
    },
  };
};

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

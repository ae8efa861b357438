import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { LogEvent } from './insights/row';

const lineSchema = z.object({ stream: z.string(), timestamp: z.number().optional(), message: z.string().optional() });

/** Events that programs put into log groups. Functions and the HTTP API have their own files. */
export interface WrittenLogs {
  hasStream(logGroup: string, stream: string): boolean;
  createStream(logGroup: string, stream: string): void;
  put(logGroup: string, stream: string, events: readonly Pick<LogEvent, 'timestamp' | 'message'>[]): void;
  /** The events of a log group, as they were put. */
  read(logGroup: string): readonly Pick<LogEvent, 'timestamp' | 'message' | 'logStream'>[];
}

/** Keeps each log group in a file of `directory`. The line of a new stream has no event. */
export const createWrittenLogs = (directory: string): WrittenLogs => {
  const fileOf = (logGroup: string): string => path.join(directory, `group${logGroup.replaceAll('/', '.')}.ndjson`);
  const append = (logGroup: string, lines: readonly object[]): void =>
    appendFileSync(fileOf(logGroup), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const linesOf = (logGroup: string): z.output<typeof lineSchema>[] => {
    const file = fileOf(logGroup);
    const texts = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    // A kill can leave an incomplete last line.
    return texts.flatMap((text) => lineSchema.safeParse(parseLine(text)).data ?? []);
  };

  return {
    hasStream: (logGroup, stream) => linesOf(logGroup).some((line) => line.stream === stream),
    createStream: (logGroup, stream) => append(logGroup, [{ stream }]),
    put: (logGroup, stream, events) =>
      append(
        logGroup,
        events.map((event) => ({ stream, ...event })),
      ),
    read: (logGroup) =>
      linesOf(logGroup).flatMap(({ stream, timestamp, message }) =>
        timestamp === undefined || message === undefined ? [] : [{ timestamp, message, logStream: stream }],
      ),
  };
};

const parseLine = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

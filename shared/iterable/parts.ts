import * as z from 'zod';
import { errorCodes, PipelineError } from '../errors';
import { parseJson } from '../json';
import type { PushResult } from './push';
import { sourceRowSchema } from './rows';

/** Number of users in a part, the unit of progress of a run (docs/contracts/sync-jobs.md). */
export const usersPerPart = 1_000;

const callResultSchema = z.object({
  success: z.boolean(),
  response: z.looseObject({ code: z.string(), msg: z.string() }),
});

/** A line of a part of results. A line of a part of rows is a {@link sourceRowSchema}. */
export const pushResultSchema: z.ZodType<PushResult> = z.object({
  record: z.object({
    email: z.string(),
    timestamp: z.string(),
    users_update: callResultSchema,
    events_track: callResultSchema,
    overall_success: z.boolean(),
  }),
  failedRow: sourceRowSchema.optional(),
  failure: z
    .object({
      call: z.enum(['users_update', 'events_track']),
      error_code: z.enum(errorCodes),
      status_code: z.number().optional(),
      reason: z.string(),
    })
    .optional(),
});

/** One line of NDJSON, with its line break. */
export const toLine = (value: object): string => `${JSON.stringify(value)}\n`;

/**
 * Reads all lines of a part at once: its connection must not idle while something else is written.
 *
 * @throws {PipelineError} `BAD_PAYLOAD`, permanent, for a line that does not match the schema
 */
export const readLines = async <T>(bytes: AsyncIterable<Uint8Array>, schema: z.ZodType<T>): Promise<T[]> => {
  const decoder = new TextDecoder();
  const all: T[] = [];
  let rest = '';
  let line = 0;
  const read = (text: string): T => {
    line += 1;
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new PipelineError('BAD_PAYLOAD', `Line ${line} of a part cannot be read`, { retryable: false });
  };
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) all.push(read(text));
  }
  if (rest !== '') all.push(read(rest));
  return all;
};

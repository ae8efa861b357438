import * as z from 'zod';
import type { RunFolder } from '../runs/artifacts';
import { pushResultSchema, readLines, toLine } from './parts';
import type { PushResult } from './push';
import { type SourceRow, sourceRowSchema } from './rows';

export const extractedSchema = z.object({ rows: z.number(), rejected: z.number() });
const turnSchema = z.object({ retries: z.number() });
const loggedSchema = z.object({ failures: z.number() });

/** Number of rows of the query, and of those that are never sent. */
export type Extracted = z.output<typeof extractedSchema>;

const lastMark = '-last';

/**
 * The objects that the Iterable job writes: parts of rows as read by the query and, for each part that was sent, a part
 * of results with the same number. Every part is written once, as a whole.
 */
export const createUserParts = (folder: RunFolder) => {
  const root = 'iterable/parts/';
  const rowsRoot = `${root}rows/`;
  const resultsRoot = `${root}results/`;
  const turnRoot = `${root}turn/`;
  const nameOf = (path: string): string => path.replace(/^.*\//, '').replace(/(-last)?\.ndjson$/, '');
  const resultsPath = (rowsPath: string): string => `${resultsRoot}${nameOf(rowsPath)}.ndjson`;

  return {
    /** The written parts of rows, in order, and whether the last one is among them. */
    surveyRows: async () => {
      const paths = [...(await folder.list(rowsRoot))].sort();
      return { paths, complete: paths.at(-1)?.includes(lastMark) ?? false };
    },
    readRows: (path: string): Promise<SourceRow[]> => readLines(folder.readBytes(path), sourceRowSchema),
    /** @param position of the part, from 0 */
    rowsPath: (position: number, isLast: boolean): string =>
      `${rowsRoot}${String(position).padStart(6, '0')}${isLast ? lastMark : ''}.ndjson`,
    /** @returns whether this call wrote it; an existing part is kept */
    writeRows: (path: string, rows: readonly SourceRow[]) => folder.putOnce(path, rows.map(toLine).join('')),

    readExtracted: () => folder.readJson(`${root}extracted.json`, extractedSchema),
    writeExtracted: (extracted: Extracted) => folder.putOnce(`${root}extracted.json`, JSON.stringify(extracted)),

    /** The parts of rows without results. */
    unsent: async (rowsPaths: readonly string[]): Promise<string[]> => {
      const written = await folder.list(resultsRoot);
      return rowsPaths.filter((path) => !written.has(resultsPath(path)));
    },
    /** The parts of rows with results. */
    sent: async (rowsPaths: readonly string[]): Promise<string[]> => {
      const written = await folder.list(resultsRoot);
      return rowsPaths.filter((path) => written.has(resultsPath(path)));
    },
    writeResults: (rowsPath: string, results: readonly PushResult[]) =>
      folder.putOnce(resultsPath(rowsPath), results.map(toLine).join('')),
    /** The results of a part of rows, in order. */
    readResults: (rowsPath: string): Promise<PushResult[]> =>
      readLines(folder.readBytes(resultsPath(rowsPath)), pushResultSchema),

    /** Number of failed users of the run that have a log line. */
    readLoggedFailures: async (): Promise<number> =>
      (await folder.readJson(`${root}logged.json`, loggedSchema))?.failures ?? 0,
    writeLoggedFailures: (failures: number) => folder.put(`${root}logged.json`, JSON.stringify({ failures })),

    /**
     * Path of the cursor for joining parts into a file.
     *
     * @param attempt set if parts are missing, because a later attempt may find more of them
     */
    joinPath: (file: 'rows' | 'failed' | 'results', attempt?: string): string =>
      `${root}join/${file}${attempt === undefined ? '' : `-${attempt}`}.json`,

    /** Stores the counts of an invocation that belong to no part. */
    writeTurn: (invocation: string, turn: z.output<typeof turnSchema>) =>
      folder.putOnce(`${turnRoot}${invocation}.json`, JSON.stringify(turn)),
    countRetries: async (): Promise<number> => {
      let retries = 0;
      for (const path of await folder.list(turnRoot))
        retries += (await folder.readJson(path, turnSchema))?.retries ?? 0;
      return retries;
    },
  };
};

export type UserParts = ReturnType<typeof createUserParts>;

import * as z from 'zod';
import type { RunFolder } from '../runs/artifacts';
import { type Confirmation, confirmationSchema } from './confirmation';
import { pushResultSchema, readLines, toLine } from './parts';
import type { PushResult } from './push';
import { type IterableUser, readLeaver, readRow, type SourceRow, sourceRowSchema } from './rows';
import { leaversPrefix } from './sent-users';

/** How the users of the query differ from those that earlier runs sent. */
export const comparedSchema = z.object({
  added: z.number(),
  changed: z.number(),
  unchanged: z.number(),
  /** Users that are no longer in the query. */
  removed: z.number(),
  /** Removed users whose `recent_page_view` this run sets to false. */
  clearing: z.number().default(0),
  /** Users that this run sends, including these. */
  to_send: z.number(),
  /** Names of the changed fields of the first changed users; none for a user who failed or was rejected before. */
  samples: z.array(z.object({ id: z.string(), fields: z.array(z.string()) })),
  /** The new list of sent users. */
  list: z.object({ users: z.number(), parts: z.number() }),
});
export type Compared = z.output<typeof comparedSchema>;

export const extractedSchema = z.object({
  rows: z.number(),
  rejected: z.number(),
  /** Number of rejected rows by reason. */
  rejected_by: z.record(z.string(), z.number()).default(() => ({})),
  /** Median of the users of the last seven runs with the same query; absent for the first runs, and with a limit. */
  usual_users: z.number().optional(),
  /** Absent in a run that compares nothing: it sends all rows that are not rejected. */
  compared: comparedSchema.optional(),
});
/** A run that sent the rows of a file, which are in its parts of rows. */
export const rowsRunSchema = z.object({ run_id: z.string(), parts: z.number() });
export type RowsRun = z.output<typeof rowsRunSchema>;

const baseSchema = z.object({
  /** Key of the list of sent users (`sentListKey`). */
  key: z.string(),
  /** The run whose list this one is compared with. */
  run_id: z.string().optional(),
  parts: z.number(),
  /** Runs that sent rows of files since that list was stored. */
  rows_runs: z.array(rowsRunSchema).default(() => []),
});
const turnSchema = z.object({ retries: z.number() });
const loggedSchema = z.object({ failures: z.number() });

/** Number of rows of the query, and of those that are never sent. */
export type Extracted = z.output<typeof extractedSchema>;

/** What a run compares its users with. */
export type ComparisonBase = z.output<typeof baseSchema>;

/** Number of users that a run sends. */
export const usersToSend = ({ rows, rejected, compared }: Extracted): number => compared?.to_send ?? rows - rejected;

const lastMark = '-last';

/** Name of a part, which its results have as well. */
export const partName = (path: string): string => path.replace(/^.*\//, '').replace(/(-last)?\.ndjson$/, '');

/**
 * The objects that the Iterable job writes: parts of rows as read by the query and, for each part that was sent, a part
 * of results with the same number. Every part is written once, as a whole.
 */
export const createUserParts = (folder: RunFolder) => {
  const root = 'iterable/parts/';
  const rowsRoot = `${root}rows/`;
  const changedRoot = `${root}changed/`;
  const resultsRoot = `${root}results/`;
  const turnRoot = `${root}turn/`;
  const readExtracted = () => folder.readJson(`${root}extracted.json`, extractedSchema);
  const listRows = async () => [...(await folder.list(rowsRoot))].sort();
  /**
   * The parts of rows that the run sends, in order: all, or those of added and changed users, and then those of users
   * who left the query.
   */
  const listToSend = async (): Promise<string[]> =>
    (await readExtracted())?.compared === undefined ? listRows() : [...(await folder.list(changedRoot))].sort();
  const resultsPath = (rowsPath: string): string => `${resultsRoot}${partName(rowsPath)}.ndjson`;

  return {
    /** Where all of these objects are. */
    root,
    /** The written parts of rows, in order, and whether the last one is among them. */
    surveyRows: async () => {
      const paths = await listRows();
      return { paths, complete: paths.at(-1)?.includes(lastMark) ?? false };
    },
    /** Where the results of a part of rows are, once it was sent. */
    resultsPath,
    readRows: (path: string): Promise<SourceRow[]> => readLines(folder.readBytes(path), sourceRowSchema),
    /** @param position of the part, from 0 */
    rowsPath: (position: number, isLast: boolean): string =>
      `${rowsRoot}${String(position).padStart(6, '0')}${isLast ? lastMark : ''}.ndjson`,
    /** @returns whether this call wrote it; an existing part is kept */
    writeRows: (path: string, rows: readonly SourceRow[]) => folder.putOnce(path, rows.map(toLine).join('')),

    /** @param position of the part, from 0; the same part again has the same content */
    writeChanged: (position: number, rows: readonly SourceRow[]): Promise<void> =>
      folder.put(`${changedRoot}${String(position).padStart(6, '0')}.ndjson`, rows.map(toLine).join('')),

    /** The same for users who left the query. */
    writeLeavers: (position: number, rows: readonly SourceRow[]): Promise<void> =>
      folder.put(
        `${changedRoot}${leaversPrefix}${String(position).padStart(6, '0')}.ndjson`,
        rows.map(toLine).join(''),
      ),

    /** The users of a part that can be sent. */
    readUsers: async (path: string): Promise<IterableUser[]> => {
      const rows = await readLines(folder.readBytes(path), sourceRowSchema);
      if (partName(path).startsWith(leaversPrefix)) return rows.flatMap((row) => readLeaver(row) ?? []);
      return rows.map(readRow).flatMap((read) => ('user' in read ? [read.user] : []));
    },

    listToSend,

    readBase: () => folder.readJson(`${root}base.json`, baseSchema),
    /** The first turn decides for all of them. */
    writeBase: (base: ComparisonBase) => folder.putOnce(`${root}base.json`, JSON.stringify(base)),

    readExtracted,
    writeExtracted: (extracted: z.input<typeof extractedSchema>) =>
      folder.putOnce(`${root}extracted.json`, JSON.stringify(extracted)),

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
    /** Whether all users are extracted and have results. */
    isSent: async (): Promise<boolean> => {
      if ((await readExtracted()) === undefined) return false;
      const written = await folder.list(resultsRoot);
      return (await listToSend()).every((path) => written.has(resultsPath(path)));
    },
    writeResults: (rowsPath: string, results: readonly PushResult[]) =>
      folder.putOnce(resultsPath(rowsPath), results.map(toLine).join('')),
    /** The results of a part of rows, in order. */
    readResults: (rowsPath: string): Promise<PushResult[]> =>
      readLines(folder.readBytes(resultsPath(rowsPath)), pushResultSchema),

    /** Undefined if no users were read back. */
    readConfirmation: () => folder.readJson(`${root}confirmation.json`, confirmationSchema),
    /** @returns whether this call wrote it */
    writeConfirmation: (confirmation: Confirmation) =>
      folder.putOnce(`${root}confirmation.json`, JSON.stringify(confirmation)),

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

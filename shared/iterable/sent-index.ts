import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { PipelineError } from '../errors';
import { createSharedObject } from '../runs/shared-object';
import type { IterablePlan } from './input';
import { type ComparisonBase, type RowsRun, rowsRunSchema } from './user-parts';

/**
 * Maximum number of parts of rows of files, of 1,000 rows each, that a list can have to send again: a comparison has
 * their ids in memory. With more, everyone is sent.
 */
const maxRowsParts = 100;

const rowsRunsSchema = z.array(rowsRunSchema).default(() => []);

/** Increased when the payloads, the digests or the lists of sent users change their form: everyone is then sent again. */
const formatVersion = 1;

const entrySchema = z.object({
  /** The run whose folder has the list. */
  run_id: z.string(),
  users: z.number(),
  /** Number of objects of the list. */
  parts: z.number(),
  stored_at: z.string(),
  /** Runs that sent rows of files since: their users must be sent again. */
  rows_runs: rowsRunsSchema,
});
/** Where the list of sent users of one kind of run is. */
export type SentEntry = z.output<typeof entrySchema>;

const indexSchema = z.object({
  /** The run that is sending, or that ended without storing its list. */
  held_by: z.string().optional(),
  /** Runs that sent rows of files since that run took its list. */
  held_rows_runs: rowsRunsSchema,
  lists: z.record(z.string(), entrySchema).default(() => ({})),
});
type Index = z.output<typeof indexSchema>;

/** Runs with the same key send the same payload for the same row, and select the same rows. */
export const sentListKey = ({ mode, plan, pages, days }: IterablePlan['iterable'], project: string): string =>
  createHash('sha256')
    .update(JSON.stringify([formatVersion, project, mode, plan, [...new Set(pages)].sort(), days]))
    .digest('hex');

export interface HoldRequest {
  readonly runId: string;
  /** What the run compared its users with; absent for a run that compares nothing. */
  readonly base: ComparisonBase | undefined;
  /** Number of the run's parts of rows, if they are those of a file. */
  readonly rowsParts?: number | undefined;
  /** Whether it sent some users in an earlier turn. */
  readonly hasSent: boolean;
}

const isBase = (entry: SentEntry | undefined, { run_id, rows_runs }: ComparisonBase): boolean =>
  entry?.run_id === run_id && isDeepStrictEqual(entry?.rows_runs ?? [], rows_runs);

/** @returns undefined if there would be too many rows */
const addRowsRun = (rowsRuns: readonly RowsRun[], added: RowsRun): RowsRun[] | undefined => {
  const all = [...rowsRuns.filter(({ run_id }) => run_id !== added.run_id), added];
  return all.reduce((total, { parts }) => total + parts, 0) > maxRowsParts ? undefined : all;
};

/**
 * Marks the users of a file as those to send again, in all lists. This is done before the first of them is sent and is
 * never undone, so that it does not matter how the run ends.
 */
const markRows = (index: Index, rowsRun: RowsRun): Index | undefined => {
  const lists = Object.entries(index.lists).flatMap(([key, entry]) => {
    const rows_runs = addRowsRun(entry.rows_runs, rowsRun);
    return rows_runs === undefined ? [] : [[key, { ...entry, rows_runs }] as const];
  });
  const held = index.held_by === undefined ? [] : addRowsRun(index.held_rows_runs, rowsRun);
  const marked: Index = {
    // A run that has read an older list can no longer store its own.
    held_by: held === undefined ? rowsRun.run_id : index.held_by,
    held_rows_runs: held ?? [],
    lists: Object.fromEntries(lists),
  };
  return isDeepStrictEqual({ held_by: undefined, ...index }, marked) ? undefined : marked;
};

/**
 * The index of the lists of sent users, one object in the artifacts bucket. A run takes its list out before it sends
 * anything, and puts the new one in after its report is written. A run that dies in between leaves none, so the next
 * one sends everyone: too much, never too little. A run of rows from a file leaves the lists in the index, and marks its
 * users in them. Every write is conditional on what was read.
 */
export const createSentIndex = (client: S3Client, bucketName: string) => {
  // If it cannot be read, everyone is sent again.
  const index = createSharedObject<Index>({
    client,
    bucketName,
    key: 'sent/iterable.json',
    schema: indexSchema,
    initial: { held_rows_runs: [], lists: {} },
  });

  return {
    /** The list of an earlier run, if there is one. */
    find: async (key: string): Promise<SentEntry | undefined> => (await index.read()).lists[key],

    /**
     * Prepares the index for what a run sends, before each turn that sends. A run that compares takes its list out; any
     * other takes all lists out, because it makes each of them wrong, unless it sends the rows of a file.
     *
     * @throws {PipelineError} `RUN_TAKEN_OVER` if another run has sent users since this one compared them
     */
    hold: ({ runId, base, rowsParts, hasSent }: HoldRequest): Promise<void> =>
      index.update((before) => {
        if (rowsParts !== undefined) return markRows(before, { run_id: runId, parts: rowsParts });
        const { held_by, lists } = before;
        if (held_by === runId) return undefined;
        if (base === undefined) {
          const isUnknown = held_by === undefined && Object.keys(lists).length === 0;
          return isUnknown ? undefined : { held_by: runId, held_rows_runs: [], lists: {} };
        }
        const { [base.key]: own, ...others } = lists;
        if (own?.run_id === runId) return undefined;
        // A run that has sent users held its list then, and another run took it over.
        if (hasSent || !isBase(own, base)) {
          throw new PipelineError('RUN_TAKEN_OVER', 'Another run has sent users since this one compared them', {
            retryable: false,
          });
        }
        return { held_by: runId, held_rows_runs: [], lists: others };
      }),

    /**
     * Puts the run's list into the index.
     *
     * @returns whether it is in the index; false if another run took over in the meantime
     */
    store: async (base: ComparisonBase, entry: Omit<SentEntry, 'rows_runs'>): Promise<boolean> => {
      let isStored = true;
      await index.update((before) => {
        const known = before.lists[base.key];
        if (known?.run_id === entry.run_id) return undefined;
        const isHeld = before.held_by === entry.run_id;
        // A run that has sent nothing holds no list, and its base is unchanged.
        isStored = isHeld || (known !== undefined && isBase(known, base));
        if (!isStored) return undefined;
        const stored = { ...entry, rows_runs: isHeld ? before.held_rows_runs : [] };
        const lists = { ...before.lists, [base.key]: stored };
        return isHeld ? { held_rows_runs: [], lists } : { ...before, lists };
      });
      return isStored;
    },
  };
};

export type SentIndex = ReturnType<typeof createSentIndex>;

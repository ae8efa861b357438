import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { PipelineError } from '../errors';
import { createSharedObject } from '../runs/shared-object';
import type { IterablePlan } from './input';
import type { ComparisonBase } from './user-parts';

/** Increased when the payloads, the digests or the lists of sent users change their form: everyone is then sent again. */
const formatVersion = 1;

const entrySchema = z.object({
  /** The run whose folder has the list. */
  run_id: z.string(),
  users: z.number(),
  /** Number of objects of the list. */
  parts: z.number(),
  stored_at: z.string(),
});
/** Where the list of sent users of one kind of run is. */
export type SentEntry = z.output<typeof entrySchema>;

const indexSchema = z.object({
  /** The run that is sending, or that ended without storing its list. */
  held_by: z.string().optional(),
  lists: z.record(z.string(), entrySchema).default(() => ({})),
});
type Index = z.output<typeof indexSchema>;

/** Runs with the same key send the same payload for the same row, and select the same rows. */
export const sentListKey = ({ mode, plan, pages, days }: IterablePlan['iterable'], project: string): string =>
  createHash('sha256')
    .update(JSON.stringify([formatVersion, project, mode, plan, [...new Set(pages)].sort(), days]))
    .digest('hex');

type Base = Pick<ComparisonBase, 'key' | 'run_id'>;

export interface HoldRequest {
  readonly runId: string;
  /** What the run compared its users with; absent for a run that compares nothing. */
  readonly base: Base | undefined;
}

/**
 * The index of the lists of sent users, one object in the artifacts bucket. A run takes its list out before it sends
 * anything, and puts the new one in after its report is written. A run that dies in between leaves none, so the next
 * one sends everyone: too much, never too little. Every write is conditional on what was read.
 */
export const createSentIndex = (client: S3Client, bucketName: string) => {
  // If it cannot be read, everyone is sent again.
  const index = createSharedObject<Index>({
    client,
    bucketName,
    key: 'sent/iterable.json',
    schema: indexSchema,
    initial: { lists: {} },
  });

  return {
    /** The list of an earlier run, if there is one. */
    find: async (key: string): Promise<SentEntry | undefined> => (await index.read()).lists[key],

    /**
     * Takes the run's list out of the index, before the run sends anything. A run that compares nothing takes all lists
     * out, because it makes any of them wrong.
     *
     * @throws {PipelineError} `RUN_TAKEN_OVER` if another run has sent users since this one compared them
     */
    hold: ({ runId, base }: HoldRequest): Promise<void> =>
      index.update(({ held_by, lists }) => {
        if (held_by === runId) return undefined;
        if (base === undefined) return Object.keys(lists).length === 0 ? undefined : { held_by: runId, lists: {} };
        const { [base.key]: own, ...others } = lists;
        if (own?.run_id === runId) return undefined;
        if (own?.run_id !== base.run_id) {
          throw new PipelineError('RUN_TAKEN_OVER', 'Another run has sent users since this one compared them', {
            retryable: false,
          });
        }
        return { held_by: runId, lists: others };
      }),

    /**
     * Puts the run's list into the index.
     *
     * @returns whether it is in the index; false if another run took over in the meantime
     */
    store: async ({ key, run_id: baseRunId }: Base, entry: SentEntry): Promise<boolean> => {
      let isStored = true;
      await index.update(({ held_by, lists }) => {
        const known = lists[key]?.run_id;
        if (known === entry.run_id) return undefined;
        // A run that has sent nothing holds no list, and its base is unchanged.
        isStored = held_by === entry.run_id || (known !== undefined && known === baseRunId);
        if (!isStored) return undefined;
        return {
          ...(held_by !== entry.run_id && held_by !== undefined && { held_by }),
          lists: { ...lists, [key]: entry },
        };
      });
      return isStored;
    },
  };
};

export type SentIndex = ReturnType<typeof createSentIndex>;

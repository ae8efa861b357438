import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { createSharedObject } from './shared-object';

/** Number of earlier runs that are compared. */
const runsKept = 7;
/** With fewer, nothing is usual. */
const minRuns = 3;

const kindSchema = z.array(z.object({ run_id: z.string(), value: z.number() }));
const usualSchema = z.record(z.string(), kindSchema);

export interface Measured {
  /** Runs of the same kind have comparable values, such as those of one portal. */
  readonly kind: string;
  readonly runId: string;
  readonly value: number;
}

const median = (values: readonly number[]): number | undefined => {
  if (values.length < minRuns) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
};

/**
 * Values of the last runs of a job, such as the number of users, in `usual/<job>.json` of the artifacts bucket: shows
 * whether a run is unusual.
 */
export const createUsual = (client: S3Client, bucketName: string, job: string) => {
  const object = createSharedObject({
    client,
    bucketName,
    key: `usual/${job}.json`,
    schema: usualSchema,
    initial: {},
  });
  return {
    /** Keeps the value of a run. @returns the median of the seven runs before it; undefined if there are fewer than three */
    compare: async ({ kind, runId, value }: Measured): Promise<number | undefined> => {
      let before: readonly number[] = [];
      await object.update((usual) => {
        const others = (usual[kind] ?? []).filter(({ run_id }) => run_id !== runId).slice(-runsKept);
        before = others.map((entry) => entry.value);
        return { ...usual, [kind]: [...others, { run_id: runId, value }] };
      });
      return median(before);
    },
  };
};

export type Usual = ReturnType<typeof createUsual>;

import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { createSharedObject } from '../runs/shared-object';
import { maxKeyAgeDays } from './input';

/** Access keys of a job's subjects, by the uuid of the subject, that a portal listed in an earlier run. */
export interface KnownKeys {
  readonly find: (subject: string) => string | undefined;
  /** Keeps the first key that the portal lists for a subject. */
  readonly add: (subject: string, key: string) => void;
}

const dayMs = 86_400_000;

/** Keys by the day (UTC) on which the portal listed them, and by the uuid of the subject. */
const keptSchema = z.record(z.iso.date(), z.record(z.string(), z.string()));

export interface KnownKeysOptions {
  /** Start of the run, ISO 8601 UTC. */
  readonly startedAt: string;
  /** A key that the portal listed this number of days ago, or earlier, is not known. 0: no key is. */
  readonly maxAgeDays: number;
}

/**
 * The access keys that earlier runs have read: one object per job in the artifacts bucket,
 * `access-keys/<portal>/<job>.json`. A portal only adds keys, so the first key of a subject stays the same. That there
 * is none is not kept, because somebody may create one.
 */
export const createKnownKeys = (client: S3Client, bucketName: string, portal: string) => ({
  open: async (job: string, { startedAt, maxAgeDays }: KnownKeysOptions) => {
    const today = startedAt.slice(0, 10);
    const ageOf = (day: string): number => (Date.parse(today) - Date.parse(day)) / dayMs;
    const object = createSharedObject({
      client,
      bucketName,
      key: `access-keys/${portal}/${encodeURIComponent(job)}.json`,
      schema: keptSchema,
      initial: {},
    });
    const kept = Object.entries(maxAgeDays === 0 ? {} : await object.read());
    const known = new Map(kept.filter(([day]) => ageOf(day) < maxAgeDays).flatMap(([, keys]) => Object.entries(keys)));
    const listed = new Map<string, string>();

    return {
      find: (subject: string) => known.get(subject),
      add: (subject: string, key: string) => void listed.set(subject, key),
      /** Stores the keys that were added. A run that ends before it only repeats their calls. */
      save: async (): Promise<void> => {
        if (listed.size === 0) return;
        await object.update((stored) => {
          const younger = Object.entries(stored)
            .filter(([day]) => ageOf(day) < maxKeyAgeDays)
            .map(([day, keys]) => [day, Object.entries(keys).filter(([subject]) => !listed.has(subject))] as const);
          const ofToday = younger.flatMap(([day, keys]) => (day === today ? keys : []));
          const byDay = [
            ...younger.filter(([day, keys]) => day !== today && keys.length > 0),
            [today, [...ofToday, ...listed]] as const,
          ];
          return Object.fromEntries(byDay.map(([day, keys]) => [day, Object.fromEntries(keys)]));
        });
      },
    };
  },
});

export type KnownKeysOfPortal = ReturnType<typeof createKnownKeys>;

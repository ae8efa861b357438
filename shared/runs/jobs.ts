import * as z from 'zod';
import { findIterableConflicts, iterableInputSchema } from '../iterable/input';
import { iterableOutcomeSchema } from '../iterable/outcome';
import { netlifeInputSchema } from '../netlife/input';
import { netlifeOutcomeSchema } from '../netlife/outcome';
import type { Portals } from '../netlife/portals';

/** Configuration that input schemas depend on. */
export interface JobSettings {
  readonly portals: Portals;
}

interface SyncJob {
  /** Schema of the job's key in a run's input. It accepts `{}` and fills in the defaults. */
  readonly input: (settings: JobSettings) => z.ZodType<object>;
  /** Faults of keys that are valid by themselves but not together; `given` may be anything. */
  readonly findConflicts: (given: unknown) => readonly string[];
  /** Names of the counters by which people watch the job; `input` as the run's item holds it. */
  readonly counters: (input: unknown) => readonly string[];
  /** Names of the vendors' limits that the job uses alone; `input` as the run's item holds it. */
  readonly leases: (input: unknown) => readonly string[];
  /** Schema of what the job's branch of the state machine ends with, unless it was skipped. */
  readonly outcome: z.ZodType<object>;
}

const plannedPortals = z.object({ portals: z.array(z.string()) });
/** One per portal: of its progress, and of its rate limit. */
const portalNames = (input: unknown) =>
  (plannedPortals.safeParse(input).data?.portals ?? []).map((portal) => `netlife/${portal}`);

/**
 * The sync jobs, by their keys in a run's input. This is the one module of `shared/runs` that imports them: a job owns
 * its folder, and everything else reads this list. A new job also needs a branch in the state machine
 * (`lib/constructs/sync-state-machine.ts`) and a summary (`lambdas/finish-run/summary.ts`).
 */
export const syncJobs = {
  netlife: {
    input: ({ portals }) => netlifeInputSchema(portals),
    findConflicts: () => [],
    counters: portalNames,
    leases: portalNames,
    outcome: netlifeOutcomeSchema,
  },
  iterable: {
    input: () => iterableInputSchema,
    findConflicts: findIterableConflicts,
    counters: () => ['iterable/extract', 'iterable/push'],
    // A stage has one Iterable project.
    leases: () => ['iterable'],
    outcome: iterableOutcomeSchema,
  },
} as const satisfies Readonly<Record<string, SyncJob>>;

type SyncJobs = typeof syncJobs;
export type SyncJobName = keyof SyncJobs;
export const syncJobNames = Object.keys(syncJobs) as SyncJobName[];

/** The vendors' limits that a run uses alone. */
export const leasesOf = (input: Readonly<Record<string, unknown>>): string[] =>
  syncJobNames.flatMap((name) => (input[name] === undefined ? [] : syncJobs[name].leases(input[name])));

/** The inputs of the jobs that a run includes. */
export type JobInputs = {
  readonly [Name in SyncJobName]?: z.output<ReturnType<SyncJobs[Name]['input']>> | undefined;
};

/** What the branches of a run ended with. */
export type JobOutcomes = { readonly [Name in SyncJobName]: z.output<SyncJobs[Name]['outcome']> };

type InputSchemas = { readonly [Name in SyncJobName]: z.ZodOptional<ReturnType<SyncJobs[Name]['input']>> };

/** The input schema of each job, for an object that has a key for each. */
export const inputSchemas = (settings: JobSettings): InputSchemas =>
  Object.fromEntries(syncJobNames.map((name) => [name, syncJobs[name].input(settings).optional()])) as InputSchemas;

import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { addStatistics, type Statistics } from '../../shared/netlife/stats';
import type { RunFolder } from '../../shared/runs/artifacts';
import {
  caughtSchema,
  collectedSchema,
  faultOf,
  type IterableOutcome,
  iterableOutcomeSchema,
  messageOf,
  portalOutcomeSchema,
} from '../../shared/runs/outcome';

const skippedSchema = z.object({ skipped: z.literal(true) });
const caughtOutcomeSchema = z.object({ error: caughtSchema });
/** Its report failed, and perhaps something before it. */
const iterableFailedSchema = caughtOutcomeSchema.extend({ fault: caughtSchema.optional() });
const portalFailedSchema = caughtOutcomeSchema.extend({ portal: z.string(), collected: collectedSchema });

/** What the two branches of the state machine end with, in their order. */
export const outcomesSchema = z.tuple([
  z.union([
    skippedSchema,
    caughtOutcomeSchema,
    z.object({ portals: z.array(z.union([portalOutcomeSchema, portalFailedSchema])) }),
  ]),
  z.union([skippedSchema, iterableFailedSchema, iterableOutcomeSchema]),
]);
export type Outcomes = z.output<typeof outcomesSchema>;

const list = z.array(z.unknown()).default(() => []);
const reportSchema = z.looseObject({ failed_jobs: list, jobs_not_on_sale: list });

type Status = 'SUCCEEDED' | 'FAILED';

interface JobSummary {
  readonly status: Status;
  /** One sentence. */
  readonly message: string;
  readonly reports: readonly string[];
  readonly [more: string]: unknown;
}

/** What became of each job that ran; `netlife` and `iterable` are absent when they were not asked for. */
export interface JobSummaries {
  readonly netlife?: JobSummary & { readonly statistics: Statistics };
  readonly iterable?: JobSummary | IterableOutcome;
}

const failedBy = (...faults: readonly string[]): JobSummary => ({
  status: 'FAILED',
  message: faults.join('; '),
  reports: [],
});

const summarizeNetlife = async (
  outcome: Outcomes[0],
  folder: RunFolder,
): Promise<JobSummaries['netlife'] | undefined> => {
  if ('skipped' in outcome) return undefined;
  if ('error' in outcome) return { ...failedBy(messageOf(outcome.error)), statistics: addStatistics() };
  const portals = await Promise.all(
    outcome.portals.map(async (entry) => {
      const { portal } = entry;
      if ('error' in entry) {
        // Its files could not be written, its report neither.
        const nothing = { failed_jobs: [], jobs_not_on_sale: [], statistics: addStatistics() };
        const faults = [faultOf(entry.collected), messageOf(entry.error)].filter((fault) => fault !== undefined);
        return { portal, ...failedBy(...faults.map((fault) => `${portal}: ${fault}`)), ...nothing };
      }
      const text = (await folder.readText(`netlife/${portal}/stats.json`)) ?? '';
      const { failed_jobs, jobs_not_on_sale, ...statistics } = reportSchema.parse(parseJson(text));
      return { ...entry, failed_jobs, jobs_not_on_sale, statistics: addStatistics(statistics) };
    }),
  );
  const each = portals.map(({ statistics }) => statistics);
  // The portals are worked on side by side.
  const duration_seconds = Math.max(0, ...each.map((statistics) => statistics.duration_seconds));
  const statistics = { ...addStatistics(...each), duration_seconds };
  return {
    status: portals.some(({ status }) => status === 'FAILED') ? 'FAILED' : 'SUCCEEDED',
    message: portals.map(({ message }) => message).join('; '),
    reports: portals.flatMap(({ reports }) => reports),
    statistics,
    portals,
  };
};

const summarizeIterable = (outcome: Outcomes[1]): JobSummaries['iterable'] | undefined => {
  if ('skipped' in outcome) return undefined;
  if (!('error' in outcome)) return outcome;
  const { fault, error } = outcome;
  return failedBy(...(fault === undefined ? [] : [messageOf(fault)]), messageOf(error));
};

/** Reads what the branches left, and what their reports say. */
export const summarizeJobs = async ([first, second]: Outcomes, folder: RunFolder): Promise<JobSummaries> => {
  const netlife = await summarizeNetlife(first, folder);
  const iterable = summarizeIterable(second);
  return { ...(netlife && { netlife }), ...(iterable && { iterable }) };
};

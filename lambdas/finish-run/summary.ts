import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { faultOf, type Needed, neededSchema } from '../../shared/netlife/outcome';
import { addStatistics } from '../../shared/netlife/stats';
import type { RunFolder } from '../../shared/runs/artifacts';
import { type JobOutcomes, type SyncJobName, syncJobNames, syncJobs } from '../../shared/runs/jobs';
import { messageOf, type OutcomeStatus, worstOf } from '../../shared/runs/outcome';

/** What became of a job that ran: its entry in `summary.json`. */
export interface JobSummary {
  readonly status: OutcomeStatus;
  /** One sentence. */
  readonly message: string;
  readonly reports: readonly string[];
  readonly [more: string]: unknown;
}

const skippedSchema = z.object({ skipped: z.literal(true) }).transform(() => undefined);

type Outcomes = { readonly [Name in SyncJobName]: JobOutcomes[Name] | undefined };
type OutcomeSchemas = { readonly [Name in SyncJobName]: z.ZodType<Outcomes[Name]> };

const outcomeSchemaOf = (name: SyncJobName): z.ZodType<Outcomes[SyncJobName]> =>
  z.union([skippedSchema, syncJobs[name].outcome]);

const byName = z.object(
  Object.fromEntries(syncJobNames.map((name) => [name, outcomeSchemaOf(name)])) as OutcomeSchemas,
);

/** What each branch of the state machine ended with; `undefined` for a job that was skipped. */
export const outcomesSchema = z.preprocess(
  // An execution that started under the previous release lists the outcomes in the order of the jobs.
  (given) =>
    Array.isArray(given) ? Object.fromEntries(syncJobNames.map((name, index) => [name, given[index]])) : given,
  byName,
);

type Summarize<Outcome> = (outcome: Outcome, folder: RunFolder) => JobSummary | Promise<JobSummary>;

const failedBy = (...faults: readonly string[]): JobSummary => ({
  status: 'FAILED',
  message: faults.join('; '),
  reports: [],
});

const list = z.array(z.unknown()).default(() => []);
const reportSchema = z.looseObject({
  failed_jobs: list,
  jobs_not_on_sale: list,
  jobs_to_repeat: list,
  reasons: list,
  warnings: list,
  usual_contacts: z.number().optional(),
  needed: neededSchema.optional(),
});

/** The portals run side by side, each at its own limit. */
const neededByAll = (each: readonly Needed[]): Needed => ({
  jobs: each.reduce((sum, { jobs }) => sum + jobs, 0),
  calls: each.reduce((sum, { calls }) => sum + calls, 0),
  minutes: Math.max(...each.map(({ minutes }) => minutes)),
});

const summarizeNetlife: Summarize<JobOutcomes['netlife']> = async (outcome, folder) => {
  if ('error' in outcome) return { ...failedBy(messageOf(outcome.error)), statistics: addStatistics() };
  const portals = await Promise.all(
    outcome.portals.map(async (entry) => {
      const { portal } = entry;
      if ('error' in entry) {
        // Neither its files nor its report could be written.
        const nothing = { failed_jobs: [], jobs_not_on_sale: [], statistics: addStatistics() };
        const faults = [faultOf(entry.collected), messageOf(entry.error)].filter((fault) => fault !== undefined);
        return { portal, ...failedBy(...faults.map((fault) => `${portal}: ${fault}`)), ...nothing };
      }
      const text = (await folder.readText(`netlife/${portal}/stats.json`)) ?? '';
      const {
        failed_jobs,
        jobs_not_on_sale,
        jobs_to_repeat,
        reasons,
        warnings,
        usual_contacts,
        needed,
        ...statistics
      } = reportSchema.parse(parseJson(text));
      return {
        ...entry,
        failed_jobs,
        jobs_not_on_sale,
        jobs_to_repeat,
        reasons,
        warnings,
        usual_contacts,
        needed,
        statistics: addStatistics(statistics),
      };
    }),
  );
  const each = portals.map(({ statistics }) => statistics);
  const needed = portals.flatMap((entry) => ('needed' in entry && entry.needed ? [entry.needed] : []));
  // The portals run side by side.
  const duration_seconds = Math.max(0, ...each.map((statistics) => statistics.duration_seconds));
  const statistics = { ...addStatistics(...each), duration_seconds };
  return {
    status: worstOf(portals.map(({ status }) => status)),
    message: portals.map(({ message }) => message).join('; '),
    reports: portals.flatMap(({ reports }) => reports),
    statistics,
    ...(needed.length > 0 && { needed: neededByAll(needed) }),
    portals,
  };
};

const summarizeIterable: Summarize<JobOutcomes['iterable']> = (outcome) => {
  if (!('error' in outcome)) return outcome;
  const { fault, error } = outcome;
  return failedBy(...(fault === undefined ? [] : [messageOf(fault)]), messageOf(error));
};

const summarize: { readonly [Name in SyncJobName]: Summarize<JobOutcomes[Name]> } = {
  netlife: summarizeNetlife,
  iterable: summarizeIterable,
};

/** Summarizes each job that ran, from what its branch ended with and the reports in the run's folder. */
export const summarizeJobs = async (
  outcomes: Outcomes,
  folder: RunFolder,
): Promise<Partial<Record<SyncJobName, JobSummary>>> => {
  const summaryOf = async <Name extends SyncJobName>(name: Name): Promise<[Name, JobSummary] | undefined> => {
    const outcome = outcomes[name];
    return outcome === undefined ? undefined : [name, await summarize[name](outcome, folder)];
  };
  const summaries = await Promise.all(syncJobNames.map(summaryOf));
  return Object.fromEntries(summaries.filter((entry) => entry !== undefined));
};

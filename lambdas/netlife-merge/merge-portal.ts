import * as z from 'zod';
import { jobsNotOnSale } from '../../shared/netlife/activities';
import { contactsFileName, contactsHeader } from '../../shared/netlife/contacts';
import type { NetlifePlan } from '../../shared/netlife/input';
import { type FailedJob, failedJobSchema, type PortalReport } from '../../shared/netlife/outcome';
import type { PortalParts } from '../../shared/netlife/portal-parts';
import type { Portal } from '../../shared/netlife/portals';
import { addStatistics, formatFinalStats, portalTitle, type Statistics } from '../../shared/netlife/stats';
import type { Taken } from '../../shared/netlife/tally';
import type { ArtifactWriter, RunFolder } from '../../shared/runs/artifacts';
import { joinParts } from '../../shared/runs/join-parts';
import type { Progress } from '../../shared/runs/progress';

export interface MergePortalOptions {
  readonly portal: Portal;
  readonly run: NetlifePlan;
  /** The current attempt at the run. */
  readonly attempt: string;
  /** The error that ended the collecting before all jobs were tried. */
  readonly fault: string | undefined;
  readonly folder: RunFolder;
  readonly parts: PortalParts;
  readonly progress: Progress;
}

/** The report of a portal, and the paths of its files. */
export interface MergedPortal {
  readonly report: PortalReport;
  readonly paths: readonly string[];
  readonly jobs: number;
}

const neverTried = { error: 'The job was not tried', error_code: 'INTERNAL_FAULT' };

/** A part of a job, a job without its last part, or the counts of all turns. */
type Source =
  | { readonly part: string }
  | { readonly unfinishedJob: string; readonly failedAttempts: readonly string[] }
  | { readonly turns: readonly string[] };

const countsSchema = z.object({ statistics: z.custom<Statistics>(), failedJobs: z.array(failedJobSchema) });
type Counts = z.output<typeof countsSchema>;

/**
 * Joins the parts of a portal, one after the other, into its files.
 *
 * @returns `undefined` if the time was up and another turn must resume
 */
export const mergePortal = async (options: MergePortalOptions): Promise<MergedPortal | undefined> => {
  const { portal, run, attempt, fault, folder, parts, progress } = options;
  const written = await parts.survey();
  const listed = await parts.readJobs();
  const jobs = listed?.jobs ?? [];
  const filters = { audience: run.netlife.audience, contactFilter: run.netlife.contact_filter };
  const root = `netlife/${portal.name}/`;
  const files = {
    contacts: root + contactsFileName(portal, filters, run.started_at),
    rejected: `${root}rejected.ndjson`,
  };

  const count = { done: jobs.length, total: jobs.length };
  const snapshot = { ...count, message: `${portal.name}: joining the contacts of ${jobs.length} jobs` };
  const isTimeUp = () => progress.isTurnOver(snapshot);

  const sources: Source[] = jobs.flatMap(({ uuid }): Source[] => {
    const { parts: paths, done, failedAttempts } = written.jobOf(uuid);
    const ofJob = paths.map((part) => ({ part }));
    return done ? ofJob : [...ofJob, { unfinishedJob: uuid, failedAttempts }];
  });
  sources.push({ turns: written.turns });

  const take = async (counts: Counts, taken: Taken, rejected: ArtifactWriter): Promise<Counts> => {
    for (const row of taken.rejected) await rejected.write(`${JSON.stringify(row)}\n`);
    return { ...counts, statistics: addStatistics(counts.statistics, taken.statistics) };
  };

  const { done, counts } = await joinParts({
    folder,
    cursorPath: parts.mergePath(attempt),
    files,
    sources,
    schema: countsSchema,
    begin: async ({ contacts, rejected }) => {
      await contacts.write(contactsHeader);
      const statistics = addStatistics(fault === undefined ? {} : { errors: [fault] });
      const none: Counts = { statistics, failedJobs: [] };
      return listed === undefined ? none : take(none, listed, rejected);
    },
    add: async (before, source, { contacts, rejected }) => {
      if ('part' in source) {
        const part = await parts.readPart(source.part);
        await contacts.write(part.csv);
        return take(before, part, rejected);
      }
      if ('unfinishedJob' in source) {
        const { unfinishedJob, failedAttempts } = source;
        // A redrive that starts at the merge tries no job: the newest attempt before it counts.
        const newest = failedAttempts.includes(attempt) ? attempt : failedAttempts.at(-1);
        const found = newest === undefined ? undefined : await parts.readFailure(unfinishedJob, newest);
        const failure = found ?? neverTried;
        const failed: FailedJob = { job_uuid: unfinishedJob, ...failure };
        const statistics = addStatistics(before.statistics, { jobs_failed: 1, errors: [failure.error] });
        return { statistics, failedJobs: [...before.failedJobs, failed] };
      }
      let after = before;
      for (const path of source.turns) {
        const turn = await parts.readTurn(path);
        if (turn !== undefined) after = await take(after, turn, rejected);
      }
      return after;
    },
    isTimeUp,
  });
  if (!done) {
    await progress.close('netlife_merge', snapshot);
    progress.assertNotStopped();
    return undefined;
  }

  const report: PortalReport = {
    portal: portal.name,
    ...counts.statistics,
    failed_jobs: counts.failedJobs,
    jobs_not_on_sale: listed === undefined ? [] : jobsNotOnSale(jobs, run.netlife.job_ids),
  };
  const text = formatFinalStats(portalTitle(portal), counts.statistics);
  await folder.put(`${root}stats.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  await folder.put(`${root}stats.txt`, text);
  return {
    report,
    paths: [files.contacts, `${root}stats.json`, `${root}stats.txt`, files.rejected],
    jobs: jobs.length,
  };
};

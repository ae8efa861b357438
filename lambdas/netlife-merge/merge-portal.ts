import * as z from 'zod';
import { jobsNotOnSale } from '../../shared/netlife/activities';
import { contactsFileName, contactsHeader } from '../../shared/netlife/contacts';
import { maxJobIds, type NetlifePlan } from '../../shared/netlife/input';
import { neededAfter } from '../../shared/netlife/needed';
import { type FailedJob, failedJobSchema, type MissingReason, type PortalReport } from '../../shared/netlife/outcome';
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
  /** Keeps the number of contacts. @returns the usual number */
  readonly compareWithUsual: (contacts: number) => Promise<number | undefined>;
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

const countsSchema = z.object({
  statistics: z.custom<Statistics>(),
  failedJobs: z.array(failedJobSchema),
  /** Rejected rows by reason. */
  rejected: z.record(z.string(), z.number()).default(() => ({})),
  /** Jobs with rejected rows. */
  rejectedJobs: z.array(z.string()).default(() => []),
  /** The portal's limit; absent until a turn was read. */
  callsPerSecond: z.number().optional(),
});
type Counts = z.output<typeof countsSchema>;

/** What is missing in the result, the most frequent reason first. */
const reasonsOf = ({ statistics, failedJobs, rejected }: Counts): MissingReason[] => {
  const failures = Map.groupBy(failedJobs, ({ error_code, error }) => `${error_code} ${error}`);
  const reasons: MissingReason[] = [
    ...Object.entries(rejected).map(([reason, count]) => ({ outcome: 'rejected' as const, reason, count })),
    { outcome: 'left out', reason: 'contacts without an access key', count: statistics.access_keys_failed },
    ...[...failures.values()].flatMap((jobs) =>
      jobs.slice(0, 1).map(({ error_code, error }) => ({
        outcome: 'failed' as const,
        error_code,
        reason: `jobs: ${error}`,
        count: jobs.length,
      })),
    ),
  ];
  return reasons.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
};

/**
 * Joins the parts of a portal, one after the other, into its files.
 *
 * @returns `undefined` if the time was up and another turn must resume
 */
export const mergePortal = async (options: MergePortalOptions): Promise<MergedPortal | undefined> => {
  const { portal, run, attempt, fault, folder, parts, progress, compareWithUsual } = options;
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
    const byReason: Record<string, number> = { ...counts.rejected };
    const rejectedJobs = new Set(counts.rejectedJobs);
    for (const row of taken.rejected) {
      await rejected.write(`${JSON.stringify(row)}\n`);
      const reason = `${row.list}: ${row.reason}`;
      byReason[reason] = (byReason[reason] ?? 0) + 1;
      if (row.job_uuid !== undefined && rejectedJobs.size < maxJobIds) rejectedJobs.add(row.job_uuid);
    }
    return {
      ...counts,
      statistics: addStatistics(counts.statistics, taken.statistics),
      rejected: byReason,
      rejectedJobs: [...rejectedJobs],
    };
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
      const none: Counts = { statistics, failedJobs: [], rejected: {}, rejectedJobs: [] };
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
        return { ...before, statistics, failedJobs: [...before.failedJobs, failed] };
      }
      let after = before;
      for (const path of source.turns) {
        const turn = await parts.readTurn(path);
        if (turn === undefined) continue;
        const { calls_per_second: callsPerSecond = after.callsPerSecond } = turn;
        after = { ...(await take(after, turn, rejected)), callsPerSecond };
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

  const contacts = counts.statistics.contacts_written;
  const usual = await compareWithUsual(contacts);
  const isUnusual = usual !== undefined && contacts * 2 < usual;
  const report: PortalReport = {
    portal: portal.name,
    ...counts.statistics,
    failed_jobs: counts.failedJobs,
    jobs_not_on_sale: listed === undefined ? [] : jobsNotOnSale(jobs, run.netlife.job_ids),
    jobs_to_repeat: [...new Set([...counts.failedJobs.map(({ job_uuid }) => job_uuid), ...counts.rejectedJobs])].slice(
      0,
      maxJobIds,
    ),
    reasons: reasonsOf(counts),
    ...(usual !== undefined && { usual_contacts: usual }),
    warnings: isUnusual ? [`${contacts} contacts, less than half of the usual ${usual}`] : [],
    ...(run.dry_run &&
      counts.callsPerSecond !== undefined && {
        needed: neededAfter({ ...run, ...counts, jobs: jobs.length, callsPerSecond: counts.callsPerSecond }),
      }),
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

import type { Job } from '../../shared/netlife/activities';
import { contactsFileName, contactsHeader } from '../../shared/netlife/contacts';
import type { Portal } from '../../shared/netlife/portals';
import { addStatistics, formatFinalStats, portalTitle, type Statistics } from '../../shared/netlife/stats';
import type { Taken } from '../../shared/netlife/tally';
import { type RunFolder, writeTogether } from '../../shared/runs/artifacts';
import type { FailedJob, PortalReport } from '../../shared/runs/outcome';
import { attemptOf, type NetlifePlan } from '../../shared/runs/plan';
import type { PortalParts } from '../../shared/runs/portal-parts';

export interface MergePortalOptions {
  readonly portal: Portal;
  readonly run: NetlifePlan;
  readonly folder: RunFolder;
  readonly parts: PortalParts;
}

/** What a portal left: its report, and the paths of its files. */
export interface MergedPortal {
  readonly report: PortalReport;
  readonly paths: readonly string[];
  readonly jobs: number;
}

const neverTried = { error: 'The job was not tried', error_code: 'INTERNAL_FAULT' };

/** Joins the parts of a portal, one after the other, to its files: memory holds one of them. */
export const mergePortal = async ({ portal, run, folder, parts }: MergePortalOptions): Promise<MergedPortal> => {
  const written = await parts.survey();
  const listed = await parts.readJobs();
  const jobs: readonly Job[] = listed?.jobs ?? [];
  const filters = { audience: run.netlife.audience, contactFilter: run.netlife.contact_filter };
  const root = `netlife/${portal.name}/`;
  const contactsPath = root + contactsFileName(portal, filters, run.started_at);
  const rejectedPath = `${root}rejected.ndjson`;
  const contacts = folder.openWriter(contactsPath);
  const rejected = folder.openWriter(rejectedPath);
  let statistics: Statistics = addStatistics();
  const failedJobs: FailedJob[] = [];

  const add = async (taken: Taken): Promise<void> => {
    statistics = addStatistics(statistics, taken.statistics);
    for (const row of taken.rejected) await rejected.write(`${JSON.stringify(row)}\n`);
  };

  const addJob = async ({ uuid }: Job): Promise<void> => {
    const { parts: paths, done } = written.jobOf(uuid);
    for (const path of paths) {
      const part = await parts.readPart(path);
      await contacts.write(part.csv);
      await add(part);
    }
    if (done) return;
    const failure = (await parts.readFailure(uuid, attemptOf(run))) ?? neverTried;
    failedJobs.push({ job_uuid: uuid, ...failure });
    statistics = addStatistics(statistics, { jobs_failed: 1, errors: [failure.error] });
  };

  const write = async (): Promise<void> => {
    await contacts.write(contactsHeader);
    if (listed !== undefined) await add(listed);
    for (const job of jobs) await addJob(job);
    for (const path of written.turns) {
      const turn = await parts.readTurn(path);
      if (turn !== undefined) await add(turn);
    }
  };
  await writeTogether([contacts, rejected], write);

  const report: PortalReport = { portal: portal.name, ...statistics, failed_jobs: failedJobs };
  const text = formatFinalStats(portalTitle(portal), statistics);
  await folder.put(`${root}stats.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  await folder.put(`${root}stats.txt`, text);
  return { report, paths: [contactsPath, `${root}stats.json`, `${root}stats.txt`, rejectedPath], jobs: jobs.length };
};

import type { Logger } from '@aws-lambda-powertools/logger';
import { PipelineError, toPipelineError } from '../../shared/errors';
import { type Job, jobsNotOnSale } from '../../shared/netlife/activities';
import { isLoginRefusal } from '../../shared/netlife/api';
import type { NetlifeClient } from '../../shared/netlife/client';
import type { NetlifePlan } from '../../shared/netlife/input';
import { collectJob, type JobPart } from '../../shared/netlife/job';
import type { PortalParts, WrittenJob } from '../../shared/netlife/portal-parts';
import type { Taken } from '../../shared/netlife/tally';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Progress } from '../../shared/runs/progress';

export interface CollectPortalOptions {
  readonly client: NetlifeClient;
  readonly run: NetlifePlan;
  /** Names this try at the run. */
  readonly attempt: string;
  readonly parts: PortalParts;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
}

/** How far a portal is; the parts themselves are the cursor. */
export interface PortalStanding {
  readonly done: boolean;
  readonly jobs_done: number;
  readonly jobs_total: number;
}

const jobsAtATime = 10;
const idsInALine = 20;

/**
 * Collects the jobs of a portal of which no last part is written, 10 at a time, until all are collected or the time is
 * up. A job that fails is noted, and not tried again in the same attempt at the run.
 *
 * @throws {PipelineError} when the portal as a whole cannot be collected: a refused login, no list of activities
 */
export const collectPortal = async (options: CollectPortalOptions): Promise<PortalStanding> => {
  const { client, run, attempt, parts, progress, logger, metrics } = options;
  const { netlife } = run;
  const written = await parts.survey();
  const pagesOf = await parts.surveyPages(attempt);
  const portal = client.portal.name;
  let jobs: readonly Job[] | undefined;
  let jobsDone = 0;
  const standing = () => ({
    done: jobsDone,
    total: jobs?.length,
    message: jobs === undefined ? `${portal}: looking for jobs` : `${portal}: ${jobsDone} of ${jobs.length} jobs`,
  });
  /** A job may take minutes: a worker that told of itself between jobs alone would not hear that the run was stopped. */
  const isTimeUp = () => progress.isTurnOver(standing());
  const endTurn = async (done: boolean): Promise<PortalStanding> => {
    await progress.close('netlife_collect', standing());
    if (!done) progress.assertGoesOn();
    return { done, jobs_done: jobsDone, jobs_total: jobs?.length ?? 0 };
  };
  /** Counted by whoever wrote the part, and so once, however often the run is begun again. */
  const countWritten = (contacts: number, { statistics }: Taken): void => {
    metrics.add('SyncContactsWritten', contacts);
    metrics.add('SyncRejectedRows', statistics.rows_rejected);
  };

  const listJobs = async (): Promise<readonly Job[] | undefined> => {
    const known = await parts.readJobs();
    if (known !== undefined) return known.jobs;
    try {
      const found = await client.getJobs(netlife.job_ids, { isTimeUp, ...pagesOf() });
      const taken = client.takeStats();
      if (await parts.writeJobs(found, taken)) countWritten(0, taken);
      const missing = jobsNotOnSale(found, netlife.job_ids);
      if (missing.length > 0) {
        logger.warn('jobs not on sale', { jobs: missing.length, job_ids: missing.slice(0, idsInALine) });
      }
      return found;
    } catch (error) {
      // With more time, the list would have come to its end.
      if (isTimeUp() && toPipelineError(error).retryable) return undefined;
      throw error;
    }
  };

  jobs = await listJobs();
  if (jobs === undefined) return endTurn(false);
  const isClosed = ({ done, failedAttempts }: WrittenJob) => done || failedAttempts.includes(attempt);
  const open = jobs.filter(({ uuid }) => !isClosed(written.jobOf(uuid)));
  jobsDone = jobs.length - open.length;
  progress.update(standing());

  const collect = async (job: Job): Promise<boolean> => {
    const before = written.jobOf(job.uuid).parts;
    const last = before.at(-1);
    const after = last === undefined ? undefined : (await parts.readPart(last)).through;
    let position = before.length;
    /** A part that is there is ours if its answer was lost; one that ends elsewhere is of a worker beside us. */
    const write = async (part: JobPart): Promise<void> => {
      const path = parts.pathOf(part, position++);
      if (await parts.writePart(path, part)) return countWritten(part.contacts.length, part);
      if ((await parts.readPart(path)).through === part.through) return;
      throw new PipelineError('RUN_TAKEN_OVER', 'Another worker collects the same job', { retryable: false });
    };
    try {
      return await collectJob(
        client,
        job,
        {
          audience: netlife.audience,
          contactFilter: netlife.contact_filter,
          checkRegisteredUsers: netlife.check_registered_users,
          registeredOnly: netlife.registered_only,
          createAccessKeys: netlife.create_access_keys && !run.dry_run,
          consent: netlife.consent,
          startedAt: run.started_at,
          after,
          isTimeUp,
          ...pagesOf(job.uuid),
        },
        write,
      );
    } catch (thrown) {
      const error = toPipelineError(thrown);
      // Only what the portal answered, or did not, is the job's own failure.
      if (isLoginRefusal(thrown) || error.api !== 'netlife') throw thrown;
      logger.warn('sync job failed', { job_uuid: job.uuid, error: error.message, error_code: error.code });
      await parts.writeFailure(job.uuid, attempt, { error: error.message, error_code: error.code });
      return true;
    }
  };

  const queue = open.values();
  const faults: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const job of queue) {
      if (isTimeUp() || faults.length > 0) return;
      try {
        if (!(await collect(job))) continue;
      } catch (fault) {
        faults.push(fault);
        return;
      }
      jobsDone += 1;
      progress.update(standing());
    }
  };
  // Whatever is under way comes to its end, one fault or not.
  await Promise.all(Array.from({ length: jobsAtATime }, worker));
  if (faults.length > 0) throw faults[0];

  return endTurn(jobsDone === jobs.length);
};

import type { Logger } from '@aws-lambda-powertools/logger';
import { PipelineError, toPipelineError } from '../../shared/errors';
import { jobsNotOnSale, type NetlifeJob } from '../../shared/netlife/activities';
import { isLoginRefusal } from '../../shared/netlife/api';
import type { NetlifeClient } from '../../shared/netlife/client';
import type { NetlifePlan } from '../../shared/netlife/input';
import { collectJob, type JobPart, jobsAtATime } from '../../shared/netlife/job';
import type { KnownKeysOfPortal } from '../../shared/netlife/known-keys';
import type { PortalParts, WrittenJob } from '../../shared/netlife/portal-parts';
import type { Taken } from '../../shared/netlife/tally';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Progress } from '../../shared/runs/progress';
import { createPortalProgress, type PortalProgress } from './portal-progress';
import { runPool } from './run-pool';

export interface CollectPortalOptions {
  readonly client: NetlifeClient;
  readonly run: NetlifePlan;
  /** Names this attempt at the run. */
  readonly attempt: string;
  readonly parts: PortalParts;
  readonly knownKeys: KnownKeysOfPortal;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
}

/** What a turn returns. It needs no cursor: the written parts show where to resume. */
export interface CollectResult {
  readonly done: boolean;
  readonly jobs_done: number;
  readonly jobs_total: number;
}

const maxIdsLogged = 20;

/**
 * Collects the jobs of a portal whose last part is not written, a few at a time, until all are collected or the time is
 * up. A job that fails is recorded, and tried again only in the next attempt at the run.
 *
 * @throws {PipelineError} if the portal as a whole cannot be collected: a refused login, no list of activities
 */
export const collectPortal = async (options: CollectPortalOptions): Promise<CollectResult> => {
  const { client, attempt, parts, progress } = options;
  const written = await parts.survey();
  const pagesOf = await parts.surveyPages(attempt);
  const portal = createPortalProgress(client.portal.name, progress);

  const jobs = await listJobs(options, portal.isTimeUp, pagesOf());
  if (jobs !== undefined) {
    const isClosed = ({ done, failedAttempts }: WrittenJob) => done || failedAttempts.includes(attempt);
    const open = jobs.filter(({ uuid }) => !isClosed(written.jobOf(uuid)));
    portal.start(jobs.length, jobs.length - open.length);
    await runPool(open, jobsAtATime, portal.isTimeUp, async (job) => {
      const isDone = await collectOne(options, job, written.jobOf(job.uuid).parts, {
        isTimeUp: portal.isTimeUp,
        ...pagesOf(job.uuid),
      });
      if (isDone) portal.countJob();
    });
  }
  return endTurn(portal, progress);
};

const endTurn = async (portal: PortalProgress, progress: Progress): Promise<CollectResult> => {
  const { done, total } = portal.snapshot();
  const isDone = done === total;
  await progress.close('netlife_collect', portal.snapshot());
  if (!isDone) progress.assertNotStopped();
  return { done: isDone, jobs_done: done, jobs_total: total ?? 0 };
};

/** How to read a list: until when, and which of its pages are kept. */
type ListOptions = Pick<PortalProgress, 'isTimeUp'> & ReturnType<Awaited<ReturnType<PortalParts['surveyPages']>>>;

/** Counted by the invocation that wrote the part, and so once, however often the run is resumed. */
const countWritten = (metrics: MetricsRecorder, contacts: number, { statistics }: Taken): void => {
  metrics.add('SyncContactsWritten', contacts);
  const { activities_found, subjects_total, rows_rejected } = statistics;
  metrics.add('SyncRowsRead', activities_found + subjects_total + rows_rejected);
  metrics.add('SyncRejectedRows', rows_rejected);
};

/** @returns `undefined` if the time was up before the list was complete */
const listJobs = async (
  { client, run, parts, logger, metrics }: CollectPortalOptions,
  isTimeUp: () => boolean,
  pages: Omit<ListOptions, 'isTimeUp'>,
): Promise<readonly NetlifeJob[] | undefined> => {
  const known = await parts.readJobs();
  if (known !== undefined) return known.jobs;
  const ids = run.netlife.job_ids;
  try {
    const found = await client.getJobs(ids, { isTimeUp, ...pages });
    const taken = client.takeStats();
    if (await parts.writeJobs(found, taken)) countWritten(metrics, 0, taken);
    const missing = jobsNotOnSale(found, ids);
    if (missing.length > 0) {
      logger.warn('jobs not on sale', { jobs: missing.length, job_ids: missing.slice(0, maxIdsLogged) });
    }
    return found;
  } catch (error) {
    // The list may only have run out of time.
    if (isTimeUp() && toPipelineError(error).retryable) return undefined;
    throw error;
  }
};

/**
 * Collects one job, after the parts that are written.
 *
 * @returns whether nothing is left to do for the job in this attempt: it is complete, or it failed
 */
const collectOne = async (
  options: CollectPortalOptions,
  job: NetlifeJob,
  written: readonly string[],
  listOptions: ListOptions,
): Promise<boolean> => {
  const { client, run, attempt, parts, logger } = options;
  const { netlife, started_at: startedAt } = run;
  const last = written.at(-1);
  const after = last === undefined ? undefined : (await parts.readPart(last)).through;
  const maxAgeDays = netlife.max_access_key_age_days;
  const knownKeys = await options.knownKeys.open(job.uuid, { startedAt, maxAgeDays });
  let isClosed = true;
  try {
    isClosed = await collectJob(
      client,
      job,
      {
        audience: netlife.audience,
        contactFilter: netlife.contact_filter,
        checkRegisteredUsers: netlife.check_registered_users,
        registeredOnly: netlife.registered_only,
        createAccessKeys: netlife.create_access_keys && !run.dry_run,
        knownKeys,
        consent: netlife.consent,
        startedAt,
        after,
        ...listOptions,
      },
      partWriter(options, written.length),
    );
  } catch (thrown) {
    const error = toPipelineError(thrown);
    // Only a failure of a call to the portal is the job's own failure.
    if (isLoginRefusal(thrown) || error.api !== 'netlife') throw thrown;
    logger.warn('sync job failed', { job_uuid: job.uuid, error: error.message, error_code: error.code });
    await parts.writeFailure(job.uuid, attempt, { error: error.message, error_code: error.code });
  }
  await knownKeys.save();
  return isClosed;
};

/** Writes the parts of a job, one after the other. @param first position of the first part, from 0 */
const partWriter = ({ parts, metrics }: CollectPortalOptions, first: number) => {
  let position = first;
  return async (part: JobPart): Promise<void> => {
    const path = parts.pathOf(part, position++);
    if (await parts.writePart(path, part)) return countWritten(metrics, part.contacts.length, part);
    // An existing part with the same end is ours, and its response was lost. Another end shows another worker.
    if ((await parts.readPart(path)).through === part.through) return;
    throw new PipelineError('RUN_TAKEN_OVER', 'Another worker collects the same job', { retryable: false });
  };
};

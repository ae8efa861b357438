import { createPortals } from '../../../shared/netlife/portals';
import { readRunInput } from '../../../shared/runs/input';
import type { OutcomeStatus } from '../../../shared/runs/outcome';
import { nowMs, type TestStage } from './operators';

/** The portal of the runs. */
export const portal = 'nowandforeverphoto';

/** Simulates the Lambdas of a run of both jobs. */
export const simulateLambdas = (stage: TestStage, runId: string, executionName = runId) => {
  const owner = { run_id: runId, execution_arn: stage.workflows.arnOf(executionName) };
  const folder = stage.openFolder(runId);
  return {
    plan: (startedAtMs = nowMs) =>
      stage.runs.start({
        input: readRunInput({ netlife: { portals: [portal] }, iterable: {} }, runId, { portals: createPortals() }),
        executionArn: owner.execution_arn,
        startedAtMs,
        leases: [],
      }),
    progress: (part: string, done: number, total: number) =>
      stage.runs.recordProgress(owner, part, {
        counter: { done, total, rate_per_second: 2 },
        message: `${part}: ${done} of ${total}`,
        atMs: nowMs,
      }),
    finish: async (status: OutcomeStatus, finishedAtMs = nowMs + 80_000) => {
      const reports = ['summary.json', `netlife/${portal}/stats.txt`].map(folder.keyOf);
      await folder.put(`netlife/${portal}/stats.txt`, 'FINAL STATS - of the portal\n');
      const summary = {
        finished_at: new Date(finishedAtMs).toISOString(),
        netlife: {
          status,
          message: 'the portals were synchronized',
          portals: [
            {
              portal,
              status,
              message: `${portal}: 256 contacts of 8 jobs`,
              statistics: { contacts_written: 256, jobs_failed: 0, duration_seconds: 83, errors: [] },
              failed_jobs: status === 'FAILED' ? [{ job_uuid: 'job-7', error: 'Netlife answered 500' }] : [],
              jobs_to_repeat: status === 'FAILED' ? ['job-7'] : [],
            },
          ],
        },
        iterable: { status: 'SUCCEEDED', message: '5 of 5 users sent', counts: { total_users: 5 } },
      };
      await folder.put('summary.json', JSON.stringify(summary));
      await stage.runs.finish(owner, { status, message: 'netlife\niterable', reports, finishedAtMs });
      const hasFailed = status === 'FAILED';
      stage.workflows.end(
        executionName,
        hasFailed ? 'FAILED' : 'SUCCEEDED',
        hasFailed ? { error: 'RunFailed', cause: 'netlife' } : {},
      );
      return summary;
    },
  };
};

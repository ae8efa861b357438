import { partsOf } from '../../../commands/run-progress';
import { toRunDocument } from '../../../commands/run-view';
import type { RunPicture } from '../../../services/run-graph/read';
import type { createRunParts } from '../../../services/run-graph/read-parts';
import { inputDifferences, previousRunOf, usualSecondsOf } from '../../../services/run-history';
import type { RunReport } from '../../../services/run-report';
import { hasEnded } from '../../../services/run-status';
import type { RunView, SyncService } from '../../../services/sync-runs';

/** Runs among which the previous one and the usual duration are looked for. */
const maxCompared = 1_000;

/** What other runs say about one. */
interface Comparison {
  readonly previousId: string | undefined;
  readonly previousInput: object | undefined;
  readonly usualSeconds: number | undefined;
}

/** Builds the document of a run for its screen. */
export const createRunDocuments = (
  service: SyncService,
  pictures: { readonly read: (executionArn: string) => Promise<RunPicture | undefined> },
  parts: ReturnType<typeof createRunParts>,
  now: () => number,
) => {
  // Earlier runs do not change.
  const comparisons = new Map<string, Comparison>();

  const compare = async (runId: string): Promise<Comparison | undefined> => {
    const known = comparisons.get(runId);
    if (known !== undefined) return known;
    const { runs } = await service.list(maxCompared);
    const run = runs.find((one) => one.runId === runId);
    if (run === undefined || run.jobs.length === 0) return undefined;
    const previous = previousRunOf(run, runs);
    const comparison = {
      previousId: previous?.runId,
      previousInput: previous && (await service.get(previous.runId)).run?.input,
      usualSeconds: usualSecondsOf(run, runs),
    };
    comparisons.set(runId, comparison);
    return comparison;
  };

  return {
    /** @throws {ServiceFault} `absent` if the run does not exist */
    read: async (runId: string) => {
      const view = await service.get(runId);
      const [report, picture, comparison] = await Promise.all([
        service.report(view),
        pictures.read(view.executionArn),
        compare(runId),
      ]);
      const { summary, reports, final_stats, counters, ...document } = toRunDocument(view, report);
      const { started_at: started, finished_at: finished } = document;
      const endMs = finished === null ? now() : Date.parse(finished);
      const { previousId, previousInput } = comparison ?? {};
      return {
        ...document,
        has_ended: hasEnded(view.status),
        seconds: started === null ? null : (endMs - Date.parse(started)) / 1_000,
        usual_seconds: comparison?.usualSeconds ?? null,
        progress: progressOf(view),
        graph: picture?.graph ?? null,
        waterfall: await parts.addTo(runId, picture?.waterfall ?? []),
        preflight: report?.faults ?? [],
        outcomes: (report?.outcomes ?? []).map(toOutcomeDocument),
        files: report?.paths ?? [],
        folder: report?.folder ?? null,
        previous:
          previousId === undefined || previousInput === undefined || view.run === undefined
            ? null
            : { run_id: previousId, differences: inputDifferences(previousInput, view.run.input) },
        can_stop: !hasEnded(view.status),
        can_redrive: hasEnded(view.status) && view.status !== 'SUCCEEDED' && view.status !== 'SKIPPED',
      };
    },
  };
};

const progressOf = ({ run }: RunView) =>
  (run === undefined ? [] : partsOf(run)).map(({ name, counter }) => {
    const { done = 0, total, rate_per_second: rate } = counter ?? {};
    const left = total === undefined ? undefined : Math.max(0, total - done);
    return {
      name,
      done,
      total: total ?? null,
      has_begun: counter !== undefined,
      rate_per_second: rate ?? null,
      seconds_left: left === undefined || rate === undefined || rate <= 0 ? null : Math.ceil(left / rate),
    };
  });

const toOutcomeDocument = (outcome: RunReport['outcomes'][number]) => ({
  name: outcome.name,
  status: outcome.status,
  message: outcome.message,
  counts: outcome.counts,
  seconds: outcome.durationSeconds ?? null,
  authentication: outcome.authentication ?? null,
  warnings: outcome.warnings,
  reasons: outcome.reasons.map(({ error_code, ...reason }) => ({ ...reason, error_code: error_code ?? null })),
  failed_jobs: outcome.failedJobs,
  /** Whether users failed, who can be sent to Iterable again. */
  can_resend: (outcome.counts.total_failures ?? 0) + (outcome.counts.partial_failures ?? 0) > 0,
  /** Input of a run that repeats what failed. */
  repeat: outcome.repeat ?? null,
});

import type { JobOutcome, RunReport } from '../services/run-report';
import type { ListedRun, RunStatus, RunView } from '../services/sync-runs';
import { partsOf, renderProgress } from './run-progress';
import { formatDuration, oneLine, plural, renderTable, type Terminal } from './terminal';

/** Maximum number of failed photo jobs listed per portal. */
const shownFailures = 5;
/** Maximum length of a run's message in the list of runs. */
const shownMessage = 60;
/** Counters that a portal's block of final statistics already shows, or that operators do not need. */
const hiddenCounters = /^(access_keys|activities|api_calls|cache|jobs_processed|registered_users|subjects)/;

/** The duration of a run, in seconds; up to now while it runs. */
const durationSeconds = (startedAt: Date | string, endedAt: Date | string | undefined, nowMs: number): number =>
  ((endedAt === undefined ? nowMs : new Date(endedAt).getTime()) - new Date(startedAt).getTime()) / 1_000;

const timesOf = ({ status, run, execution }: RunView) => ({
  startedAt: run?.started_at ?? execution?.startedAt?.toISOString(),
  finishedAt: status === 'RUNNING' ? undefined : (run?.finished_at ?? execution?.stoppedAt?.toISOString()),
});

/** A run as JSON. */
export const toRunDocument = (view: RunView, report: RunReport | undefined) => {
  const { runId, status, executionArn, execution, run } = view;
  const { startedAt, finishedAt } = timesOf(view);
  return {
    run_id: runId,
    status,
    started_at: startedAt ?? null,
    finished_at: finishedAt ?? null,
    execution: {
      arn: executionArn,
      redrives: execution?.redrives ?? null,
      error: execution?.error ?? null,
      cause: execution?.cause ?? null,
    },
    input: run?.input ?? null,
    counters: run?.counters ?? {},
    message: run?.message ?? null,
    summary: report?.summary ?? null,
    reports: report?.paths.map((path) => report.folder + path) ?? [],
    final_stats: Object.fromEntries((report?.finalStats ?? []).map(({ portal, text }) => [portal, text])),
  };
};

/** A run as text: its state, and its reports once it has ended. */
export const renderRun = (view: RunView, report: RunReport | undefined, terminal: Terminal, nowMs: number): string =>
  [renderStanding(view, report, terminal, nowMs), ...(report ? renderReport(report, terminal) : [])].join('\n\n');

const renderStanding = (
  view: RunView,
  report: RunReport | undefined,
  { colors, time }: Terminal,
  nowMs: number,
): string => {
  const { runId, status, executionArn, execution, run } = view;
  const { startedAt, finishedAt } = timesOf(view);
  const rows: (readonly [string, string | undefined])[] = [
    ['run', runId],
    ['status', renderStatus(status, colors)],
    ['dry run', run?.input.dry_run === true ? 'yes: nothing is sent' : undefined],
    ['started', startedAt && time(startedAt)],
    ['finished', finishedAt && time(finishedAt)],
    ['duration', startedAt && formatDuration(durationSeconds(startedAt, finishedAt, nowMs))],
    ['redriven', execution?.redrives ? plural(execution.redrives, 'time') : undefined],
    ['execution', executionArn],
    ['newest', run?.message === undefined || report !== undefined ? undefined : oneLine(run.message)],
    ['error', execution?.error && report === undefined ? oneLine(execution.error) : undefined],
    ['cause', execution?.cause && report === undefined ? oneLine(execution.cause) : undefined],
  ];
  const table = renderTable(rows.flatMap(([name, value]) => (value ? [[colors.dim(name), value]] : [])));
  const progress = run && report === undefined ? renderProgress(partsOf(run)) : [];
  return [table, ...(progress.length > 0 ? ['', ...progress] : [])].join('\n');
};

const renderReport = ({ outcomes, folder, paths, finalStats }: RunReport, { colors }: Terminal): string[] => {
  const jobs = renderTable(
    outcomes.map(({ name, status, durationSeconds: seconds, message }) => [
      name,
      renderStatus(status, colors),
      seconds === undefined ? '' : formatDuration(seconds),
      oneLine(message),
    ]),
    ['JOB', 'OUTCOME', 'DURATION', 'RESULT'],
  );
  const counts = outcomes.map(renderCounts).filter((line) => line !== '');
  return [
    jobs,
    ...(counts.length > 0 ? [counts.join('\n')] : []),
    ...outcomes.flatMap(renderFailedJobs),
    [`Reports in ${folder}:`, ...paths.map((path) => `  ${path}`)].join('\n'),
    ...finalStats.map(({ text }) => text.trimEnd()),
  ];
};

const renderCounts = ({ name, counts }: JobOutcome): string => {
  const counted = Object.entries(counts)
    .filter(([what]) => !hiddenCounters.test(what))
    .map(([what, count]) => `${what.replaceAll('_', ' ')} ${count}`);
  return counted.length === 0 ? '' : `${name}: ${counted.join(', ')}`;
};

const renderFailedJobs = ({ name, failedJobs }: JobOutcome): string[] => {
  if (failedJobs.length === 0) return [];
  const shown = failedJobs
    .slice(0, shownFailures)
    .map(({ job_uuid, error }) => `  ${oneLine(job_uuid)}  ${oneLine(error)}`);
  const rest = failedJobs.length - shown.length;
  return [[`Failed jobs of ${name}:`, ...shown, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n')];
};

/** The list of runs as text. */
export const renderRuns = (runs: readonly ListedRun[], { colors, time }: Terminal, nowMs: number): string =>
  renderTable(
    runs.map(({ runId, status, startedAt, finishedAt, jobs, message }) => {
      const ended = status !== 'RUNNING' && finishedAt === undefined;
      return [
        runId,
        renderStatus(status, colors),
        time(startedAt),
        ended ? '' : formatDuration(durationSeconds(startedAt, status === 'RUNNING' ? undefined : finishedAt, nowMs)),
        jobs.join(' '),
        shorten(oneLine(message ?? '')),
      ];
    }),
    ['RUN', 'STATUS', 'STARTED', 'DURATION', 'JOBS', 'NEWEST'],
  );

const shorten = (text: string): string =>
  text.length > shownMessage ? `${text.slice(0, shownMessage - 1).trimEnd()}…` : text;

const renderStatus = (status: RunStatus, colors: Terminal['colors']): string => {
  if (status === 'SUCCEEDED') return colors.green(status);
  return status === 'RUNNING' ? colors.bold(status) : colors.red(status);
};

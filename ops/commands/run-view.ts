import type { JobOutcome, RunReport } from '../services/run-report';
import { hasEnded, type RunStatus } from '../services/run-status';
import type { ListedRun, RunView } from '../services/sync-runs';
import { partsOf, renderProgress } from './run-progress';
import { formatDuration, oneLine, plural, renderTable, screenWidth, type Terminal, wrapText } from './terminal';

/** Maximum number of failed photo jobs listed per portal. */
const shownFailures = 5;
/** Maximum number of reasons listed per job. */
const shownReasons = 10;
/** Maximum number of faults listed that were found before the jobs. */
const shownFaults = 10;
/** A longer command does not fit on a screen. */
const maxCommandLength = 2_000;
/** Counters that a portal's block of final statistics already shows, or that operators do not need. */
const hiddenCounters = /^(access_keys|activities|api_calls|cache|jobs_processed|registered_users|subjects)/;

/** The duration of a run, in seconds; up to now while it runs. */
const durationSeconds = (startedAt: Date | string, endedAt: Date | string | undefined, nowMs: number): number =>
  ((endedAt === undefined ? nowMs : new Date(endedAt).getTime()) - new Date(startedAt).getTime()) / 1_000;

const timesOf = ({ status, run, execution }: RunView) => ({
  startedAt: run?.started_at ?? execution?.startedAt?.toISOString(),
  finishedAt: !hasEnded(status) ? undefined : (run?.finished_at ?? execution?.stoppedAt?.toISOString()),
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

/** Maximum number of causes in the short form of a run, and of lines for each. */
const shownCauses = 3;
const causeLines = 2;

/**
 * A run that did not succeed, on one screen: why first, then one line per job. The rest is in {@link renderRun}.
 *
 * @param stageCommand the beginning of the commands to copy
 */
export const renderFailedRun = (
  view: RunView,
  report: RunReport,
  { colors, age }: Terminal,
  nowMs: number,
  stageCommand: string,
): string => {
  const { runId, status } = view;
  const { startedAt, finishedAt } = timesOf(view);
  const took = startedAt === undefined ? '' : `took ${formatDuration(durationSeconds(startedAt, finishedAt, nowMs))}`;
  const byOutcome = report.outcomes.toSorted(
    (a, b) => Number(a.status === 'SUCCEEDED') - Number(b.status === 'SUCCEEDED'),
  );
  const failed = byOutcome.filter((outcome) => outcome.status !== 'SUCCEEDED');
  const causes = [...Map.groupBy(failed, causeOf)];
  const more = causes.length - shownCauses;
  const nameWidth = Math.max(...byOutcome.map(({ name }) => name.length), 0);
  const resultWidth = screenWidth - nameWidth - 24;
  const warnings = report.outcomes.reduce((sum, outcome) => sum + outcome.warnings.length, 0);
  return [
    `${colors.bold(runId)}  ${renderStatus(status, colors)}  ${took}${finishedAt ? `, ended ${age(finishedAt)}` : ''}`,
    ...causes
      .slice(0, shownCauses)
      .flatMap(([cause, outcomes]) => renderCause(cause, outcomes).map((line) => colors.red(line))),
    ...(more > 0 ? [`… and ${plural(more, 'other cause')}`] : []),
    ...renderFaults(report),
    '',
    renderTable(
      byOutcome.map((outcome) => [
        outcome.name,
        renderStatus(outcome.status, colors),
        outcome.durationSeconds === undefined ? '' : formatDuration(outcome.durationSeconds),
        shorten(oneLine(outcome.message), Math.max(resultWidth, 20)),
      ]),
      ['JOB', 'OUTCOME', 'TIME', 'RESULT'],
    ),
    '',
    `Everything about it${warnings > 0 ? `, with ${plural(warnings, 'warning')}` : ''}, and the command that resumes it:`,
    `  ${stageCommand} sync get ${runId} --full`,
    `  ${stageCommand} sync redrive ${runId} --reason fixed`,
  ].join('\n');
};

/** Why a job did not succeed: its most frequent reason or its first failed photo job, else its message. */
const causeOf = ({ message, reasons: [reason], failedJobs: [failedJob] }: JobOutcome): string =>
  oneLine(failedJob?.error ?? (reason && [reason.error_code, reason.reason].filter(Boolean).join(': ')) ?? message);

const renderCause = (cause: string, outcomes: readonly JobOutcome[]): string[] => {
  const names = outcomes.map(({ name }) => name);
  const who = names.length > 2 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
  const lines = wrapText(`${who}: ${cause}`, screenWidth);
  const shown = lines.slice(0, causeLines);
  return lines.length > causeLines ? [...shown.slice(0, -1), shorten(`${shown.at(-1)} …`, screenWidth)] : shown;
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

/** What was wrong before the jobs started, one line each. */
const renderFaults = ({ faults }: RunReport): string[] => {
  if (faults.length === 0) return [];
  const rest = faults.length - shownFaults;
  return [
    '',
    'Found before anything was sent:',
    ...faults
      .slice(0, shownFaults)
      .map(({ check, error_code, message }) => `  ${check}  ${error_code}: ${oneLine(message)}`),
    ...(rest > 0 ? [`  … and ${rest} more, in summary.json`] : []),
  ];
};

const renderReport = (report: RunReport, { colors }: Terminal): string[] => {
  const { outcomes, folder, paths, finalStats } = report;
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
    [jobs, ...renderFaults(report)].join('\n'),
    ...(counts.length > 0 ? [counts.join('\n')] : []),
    ...outcomes.flatMap(renderWarnings),
    ...outcomes.flatMap(renderReasons),
    ...outcomes.flatMap(renderFailedJobs),
    ...outcomes.flatMap(renderRepeat),
    [`Reports in ${folder}:`, ...paths.map((path) => `  ${path}`)].join('\n'),
    ...finalStats.map(({ text }) => text.trimEnd()),
  ];
};

const renderWarnings = ({ name, warnings }: JobOutcome): string[] =>
  warnings.map((warning) => `WARNING ${name}: ${oneLine(warning)}`);

const renderReasons = ({ name, reasons }: JobOutcome): string[] => {
  if (reasons.length === 0) return [];
  const table = renderTable(
    reasons.slice(0, shownReasons).map(({ count, outcome, error_code, reason }) => [
      `  ${count}`,
      outcome,
      [error_code, reason]
        .filter(Boolean)
        .map((text) => oneLine(text ?? ''))
        .join(': '),
    ]),
  );
  const rest = reasons.length - shownReasons;
  return [[`Reasons of ${name}:`, table, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n')];
};

const renderCounts = ({ name, counts, authentication }: JobOutcome): string => {
  const { retries = 0, ...others } = counts;
  const counted = Object.entries(authentication === undefined ? counts : others)
    .filter(([what]) => !hiddenCounters.test(what))
    .map(([what, count]) => `${what.replaceAll('_', ' ')} ${count}`);
  const more = authentication === undefined ? [] : [`retries ${retries}`, `authentication ${authentication}`];
  return counted.length === 0 ? '' : `${name}: ${[...counted, ...more].join(', ')}`;
};

const renderFailedJobs = ({ name, failedJobs }: JobOutcome): string[] => {
  if (failedJobs.length === 0) return [];
  const shown = failedJobs
    .slice(0, shownFailures)
    .map(({ job_uuid, error }) => `  ${oneLine(job_uuid)}  ${oneLine(error)}`);
  const rest = failedJobs.length - shown.length;
  return [[`Failed jobs of ${name}:`, ...shown, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n')];
};

/** The command that collects jobs again. Without line breaks or quotes, because the ids come from a portal. */
const renderRepeat = ({ name, repeat }: JobOutcome): string[] => {
  if (repeat === undefined) return [];
  const input = JSON.stringify(repeat);
  const command =
    input.length > maxCommandLength || /['\p{Cc}]/u.test(input)
      ? '  the ids are jobs_to_repeat in summary.json: use them as job_ids of another run'
      : `  echo '${input}' | pipeline sync start --input /dev/stdin`;
  return [`Failed jobs of ${name}, and those with rejected rows, can be collected again:\n${command}`];
};

/** The list of runs as text, each with its newest message below it. */
export const renderRuns = (runs: readonly ListedRun[], { colors, age }: Terminal, nowMs: number): string => {
  const [head = '', ...lines] = renderTable(
    runs.map(({ runId, status, startedAt, finishedAt, jobs }) => {
      const ended = hasEnded(status) && finishedAt === undefined;
      return [
        runId,
        renderStatus(status, colors),
        age(startedAt),
        ended ? '' : formatDuration(durationSeconds(startedAt, hasEnded(status) ? finishedAt : undefined, nowMs)),
        jobs.join(' '),
      ];
    }),
    ['RUN', 'STATUS', 'STARTED', 'DURATION', 'JOBS'],
  ).split('\n');
  const messages = runs.map(({ message }) =>
    message ? [colors.dim(`  ${shorten(oneLine(message), screenWidth - 2)}`)] : [],
  );
  return [head, ...lines.flatMap((line, index) => [line, ...(messages[index] ?? [])])].join('\n');
};

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text;

const renderStatus = (status: RunStatus, colors: Terminal['colors']): string => {
  if (status === 'SUCCEEDED') return colors.green(status);
  if (status === 'PARTIAL') return colors.yellow(status);
  return hasEnded(status) && status !== 'SKIPPED' ? colors.red(status) : colors.bold(status);
};

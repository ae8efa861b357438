import { PassThrough } from 'node:stream';
import { renderFailedRun, renderRun, renderRuns } from '../../../../ops/commands/run-view';
import { createTerminal } from '../../../../ops/commands/terminal';
import type { RunReport } from '../../../../ops/services/run-report';
import type { RunView } from '../../../../ops/services/sync-runs';

const nowMs = Date.UTC(2026, 0, 31, 12);
const terminal = createTerminal(
  {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    environment: {},
    localStateDirectory: '',
    temporaryDirectory: '',
    now: () => nowMs,
    interruptible: (work) => work(new AbortController().signal),
  },
  false,
);
const runId = 'manual-20260131_020000-ab12';
const long = 'Netlife answered 500 after five attempts, and the portal is excluded from the rest of this run';

/** A run of nine portals and Iterable, in which most portals failed for different reasons. */
const report: RunReport = {
  faults: [],
  outcomes: [
    ...['nowandforeverphoto', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((portal, index) => ({
      name: `netlife/${portal}`,
      status: index < 7 ? ('FAILED' as const) : ('SUCCEEDED' as const),
      message: `${portal}: 256 contacts of 8 jobs, 5 of them failed`,
      durationSeconds: 4_000,
      counts: { contacts_written: 256, retries: 12, errors: 9 },
      warnings: [`${portal} ${long}`],
      reasons: [{ outcome: 'rejected', error_code: 'INVALID', reason: long, count: 12 }],
      failedJobs: Array.from({ length: 5 }, (_, job) => ({ job_uuid: `job-${job}`, error: `${long} ${index % 4}` })),
      repeat: { netlife: { portals: [portal], job_ids: ['job-1'] } },
    })),
    {
      name: 'iterable',
      status: 'FAILED',
      message: long,
      durationSeconds: 12,
      counts: {},
      warnings: [],
      reasons: [],
      failedJobs: [],
    },
  ],
  summary: {},
  folder: `s3://artifacts/runs/${runId}/`,
  paths: ['summary.json'],
  finalStats: [{ portal: 'a', text: 'FINAL STATS\n'.repeat(30) }],
};
const view = {
  runId,
  status: 'FAILED',
  executionArn: 'arn:aws:states:us-east-1:000000000000:execution:x',
  run: { started_at: '2026-01-31T02:00:00.000Z', finished_at: '2026-01-31T03:10:00.000Z', input: {}, message: long },
} as Partial<RunView> as RunView;

test('a failed run of nine portals fits one screen, with its causes first', () => {
  const lines = renderFailedRun(view, report, terminal, nowMs, 'pipeline --stage prod').split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines[0]).toBe(`${runId}  FAILED  took 1h 10m, ended 8h ago`);
  expect(lines.slice(1, 3).join(' ')).toContain(`netlife/nowandforeverphoto, netlife/d: ${long} 0`);
  expect(lines).toContain('… and 2 other causes');
  for (const { name } of report.outcomes) expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
  expect(lines.at(-2)).toBe(`  pipeline --stage prod sync get ${runId} --full`);
});

test('what was found before the jobs is shown with its codes', () => {
  const faults = Array.from({ length: 12 }, (_, index) => ({
    check: `netlife/portal-${index}`,
    error_code: 'API_REFUSED' as const,
    message: 'The portal refused our login (401)',
  }));
  const short = renderFailedRun(view, { ...report, faults }, terminal, nowMs, 'pipeline');
  for (const text of [short, renderRun(view, { ...report, faults }, terminal, nowMs)]) {
    expect(text).toContain('Found before anything was sent:\n  netlife/portal-0  API_REFUSED: The portal refused');
    expect(text).toContain('… and 2 more, in summary.json');
  }
});

test('--full has all the rest', () => {
  const text = renderRun(view, report, terminal, nowMs);
  expect(text).toContain('Failed jobs of netlife/a');
  expect(text).toContain('FINAL STATS');
});

test('the list of runs fits 80 columns', () => {
  const run = { runId, startedAt: '2026-01-31T02:00:00.000Z', jobs: ['netlife', 'iterable'], isDryRun: false };
  const finished = { status: 'SUCCEEDED' as const, finishedAt: '2026-01-31T12:00:00.000Z', message: long };
  const lines = renderRuns([{ ...run, ...finished }], terminal, nowMs).split('\n');
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

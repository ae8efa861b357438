import * as z from 'zod';
import { parseJson } from '../../shared/json';
import type { RunFolder } from '../../shared/runs/artifacts';
import { type Fault, faultSchema } from '../../shared/runs/faults';
import { type SyncJobName, syncJobNames } from '../../shared/runs/jobs';
import { outcomeStatuses } from '../../shared/runs/outcome';
import type { Run } from '../../shared/runs/run';

const statusSchema = z.enum(outcomeStatuses);
const failedJobSchema = z.object({ job_uuid: z.string(), error: z.string() });
/** Statistics: counts, durations in seconds, messages. */
const countsSchema = z.record(z.string(), z.unknown()).default(() => ({}));
const outcomeSchema = z.object({ status: statusSchema, message: z.string() });

const reasonSchema = z.object({
  outcome: z.string(),
  error_code: z.string().optional(),
  reason: z.string(),
  count: z.number(),
});

const portalSchema = outcomeSchema.extend({
  portal: z.string(),
  statistics: countsSchema,
  failed_jobs: z.array(failedJobSchema).default(() => []),
  jobs_to_repeat: z.array(z.string()).default(() => []),
  warnings: z.array(z.string()).default(() => []),
  reasons: z.array(reasonSchema).default(() => []),
});

/** The entry of a job in `summary.json`: a job with portals has its counts by portal. */
const jobSchema = outcomeSchema.extend({
  authentication: z.string().optional(),
  warnings: z.array(z.string()).default(() => []),
  reasons: z.array(reasonSchema).default(() => []),
  portals: z.array(portalSchema).default(() => []),
  counts: countsSchema,
});

/** The keys of `summary.json` that are shown. */
const summarySchema = z.object({
  finished_at: z.string(),
  preflight: z.array(faultSchema).default(() => []),
  ...(Object.fromEntries(syncJobNames.map((name) => [name, jobSchema.optional()])) as Record<
    SyncJobName,
    z.ZodOptional<typeof jobSchema>
  >),
});

/** The outcome of `iterable`, or of one portal of `netlife`. */
export interface JobOutcome {
  /** `iterable`, `netlife/<portal>`, or `netlife` if it failed before its portals started. */
  readonly name: string;
  readonly status: z.output<typeof statusSchema>;
  /** One sentence. */
  readonly message: string;
  readonly durationSeconds: number | undefined;
  /** Counts by name, without those that are zero. */
  readonly counts: Readonly<Record<string, number>>;
  /** `api_key` or `jwt`, if the job has the choice. */
  readonly authentication?: string | undefined;
  readonly warnings: readonly string[];
  /** Rejected rows and failed users by reason, the most frequent first. */
  readonly reasons: readonly z.output<typeof reasonSchema>[];
  /** Failed photo jobs of a portal. */
  readonly failedJobs: readonly z.output<typeof failedJobSchema>[];
  /** Input of a run that collects the failed jobs of a portal, and those with rejected rows, again. */
  readonly repeat?: Readonly<Record<string, unknown>> | undefined;
}

/** The reports of a run. */
export interface RunReport {
  /** What was wrong before the jobs started. */
  readonly faults: readonly Fault[];
  readonly outcomes: readonly JobOutcome[];
  /** The parsed `summary.json`. */
  readonly summary: unknown;
  /** S3 URI of the run's folder, with a slash at the end. */
  readonly folder: string;
  /** Paths of the report files in this folder. */
  readonly paths: readonly string[];
  /** The text block of final statistics of each portal. */
  readonly finalStats: readonly { readonly portal: string; readonly text: string }[];
}

export interface ReadRunReportOptions {
  readonly folder: RunFolder;
  readonly bucket: string;
  /** A run that has ended. */
  readonly run: Run;
}

const finalStatsPath = /^netlife\/([^/]+)\/stats\.txt$/;

const readSummary = async (folder: RunFolder, run: Run) => {
  const summary = parseJson((await folder.readText('summary.json')) ?? '');
  const { data } = summarySchema.safeParse(summary);
  // After a redrive, the summary may be the one from before it.
  return data === undefined || data.finished_at !== run.finished_at ? undefined : { summary, data };
};

/** Reads what became of the jobs of a run; undefined as for {@link readRunReport}. */
export const readRunOutcomes = async (folder: RunFolder, run: Run): Promise<readonly JobOutcome[] | undefined> => {
  const read = await readSummary(folder, run);
  return read && toOutcomes(read.data);
};

/** Reads the reports of a run; undefined if the run was stopped or timed out before it could write them. */
export const readRunReport = async ({ folder, bucket, run }: ReadRunReportOptions): Promise<RunReport | undefined> => {
  const keys = run.reports;
  if (keys === undefined) return undefined;
  const read = await readSummary(folder, run);
  if (read === undefined) return undefined;

  const root = folder.keyOf('');
  const paths = keys.flatMap((key) => (key.startsWith(root) ? key.slice(root.length) : []));
  const printed = paths.flatMap((path) => {
    const portal = finalStatsPath.exec(path)?.[1];
    return portal === undefined ? [] : [{ portal, path }];
  });
  return {
    faults: read.data.preflight,
    outcomes: toOutcomes(read.data),
    summary: read.summary,
    folder: `s3://${bucket}/${root}`,
    paths,
    finalStats: await Promise.all(
      printed.map(async ({ portal, path }) => ({ portal, text: (await folder.readText(path)) ?? '' })),
    ),
  };
};

const toOutcomes = (summary: z.output<typeof summarySchema>): JobOutcome[] =>
  syncJobNames.flatMap((name) => {
    const job = summary[name];
    if (job === undefined) return [];
    const { status, message, counts, portals, authentication, warnings, reasons } = job;
    if (portals.length > 0) return portals.map((portal) => toPortalOutcome(name, portal));
    return [
      {
        name,
        status,
        message,
        durationSeconds: undefined,
        counts: toCounts(counts),
        failedJobs: [],
        authentication,
        warnings,
        reasons,
      },
    ];
  });

const toPortalOutcome = (
  job: SyncJobName,
  {
    portal,
    status,
    message,
    statistics,
    failed_jobs,
    jobs_to_repeat,
    warnings,
    reasons,
  }: z.output<typeof portalSchema>,
): JobOutcome => {
  const { duration_seconds, ...counted } = statistics;
  return {
    name: `${job}/${portal}`,
    status,
    message,
    durationSeconds: typeof duration_seconds === 'number' ? duration_seconds : undefined,
    counts: toCounts(counted),
    failedJobs: failed_jobs,
    repeat: jobs_to_repeat.length === 0 ? undefined : { netlife: { portals: [portal], job_ids: jobs_to_repeat } },
    warnings,
    reasons,
  };
};

const toCounts = (values: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === 'number' && value > 0 ? [[name, value]] : [])),
  );

import * as z from 'zod';
import { parseJson } from '../../shared/json';
import type { RunFolder } from '../../shared/runs/artifacts';
import { type SyncJobName, syncJobNames } from '../../shared/runs/jobs';
import type { Run } from '../../shared/runs/repository';

const statusSchema = z.enum(['SUCCEEDED', 'FAILED']);
const failedJobSchema = z.object({ job_uuid: z.string(), error: z.string() });
/** Statistics: counts, durations in seconds, messages. */
const countsSchema = z.record(z.string(), z.unknown()).default(() => ({}));
const outcomeSchema = z.object({ status: statusSchema, message: z.string() });

const portalSchema = outcomeSchema.extend({
  portal: z.string(),
  statistics: countsSchema,
  failed_jobs: z.array(failedJobSchema).default(() => []),
});

/** The entry of a job in `summary.json`: a job with portals has its counts by portal. */
const jobSchema = outcomeSchema.extend({ portals: z.array(portalSchema).default(() => []), counts: countsSchema });

/** The keys of `summary.json` that are shown. */
const summarySchema = z.object({
  finished_at: z.string(),
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
  /** Failed photo jobs of a portal. */
  readonly failedJobs: readonly z.output<typeof failedJobSchema>[];
}

/** The reports of a run. */
export interface RunReport {
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

/** Reads the reports of a run; undefined if the run was stopped or timed out before it could write them. */
export const readRunReport = async ({ folder, bucket, run }: ReadRunReportOptions): Promise<RunReport | undefined> => {
  const keys = run.reports;
  if (keys === undefined) return undefined;
  const summary = parseJson((await folder.readText('summary.json')) ?? '');
  const parsed = summarySchema.safeParse(summary);
  // After a redrive, the summary may be the one from before it.
  if (!parsed.success || parsed.data.finished_at !== run.finished_at) return undefined;

  const root = folder.keyOf('');
  const paths = keys.flatMap((key) => (key.startsWith(root) ? key.slice(root.length) : []));
  const printed = paths.flatMap((path) => {
    const portal = finalStatsPath.exec(path)?.[1];
    return portal === undefined ? [] : [{ portal, path }];
  });
  return {
    outcomes: toOutcomes(parsed.data),
    summary,
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
    const { status, message, counts, portals } = job;
    if (portals.length > 0) return portals.map((portal) => toPortalOutcome(name, portal));
    return [{ name, status, message, durationSeconds: undefined, counts: toCounts(counts), failedJobs: [] }];
  });

const toPortalOutcome = (
  job: SyncJobName,
  { portal, status, message, statistics, failed_jobs }: z.output<typeof portalSchema>,
): JobOutcome => {
  const { duration_seconds, ...counted } = statistics;
  return {
    name: `${job}/${portal}`,
    status,
    message,
    durationSeconds: typeof duration_seconds === 'number' ? duration_seconds : undefined,
    counts: toCounts(counted),
    failedJobs: failed_jobs,
  };
};

const toCounts = (values: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (typeof value === 'number' && value > 0 ? [[name, value]] : [])),
  );

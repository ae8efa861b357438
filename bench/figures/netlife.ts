import * as z from 'zod';
import type { FigureSet } from '../figure';
import { median, round } from '../statistics';
import type { NetlifeSenderOptions } from '../sync/netlife-sender';
import { runSender } from '../sync/sender';
import { type RunningSimulator, withSimulator } from '../sync/simulator';
import { usageSchema } from '../sync/usage';

const portal = 'nowandforeverphoto';
const credentials = { username: 'bench', password: 'bench' };
const callsPerSecond = 8;
/** Higher than any reachable rate. */
const unlimited = 1_000_000;
const latencyMs = 150;
const concurrentJobs = 10;
/** Concurrency within one photo job. At 8 calls per second, a higher one does not help with any portal. */
const concurrentCalls = 10;

interface Trial {
  readonly jobs: number;
  readonly subjectsPerJob: number;
  readonly rowsPerPage: number;
  readonly latencyMs: number;
  readonly rateLimitPerSecond: number;
  /** Default: 1. */
  readonly runs?: number;
}

const reportSchema = usageSchema.extend({
  jobs: z.number(),
  contacts: z.number(),
  calls: z.number(),
  callsFailed: z.number(),
});
const arrivalsSchema = z.object({ calls: z.number(), calls_per_second: z.number(), most_in_a_second: z.number() });
const requestsSchema = z.object({
  total: z.number(),
  requests: z.array(z.object({ facts: z.looseObject({ call: z.string(), page: z.string(), subject: z.string() }) })),
});

/** Collects a portal of the given size. `inspect` can query the simulator's control API. */
const collect = <T>(trial: Trial, inspect: (readControl: RunningSimulator['readControl']) => Promise<T>) =>
  withSimulator(
    {
      api: 'netlife',
      credentials,
      portals: [{ name: portal, jobs: trial.jobs, activitiesPerJob: 2, subjectsPerJob: trial.subjectsPerJob }],
      latencyMs: trial.latencyMs,
      rateLimitPerSecond: trial.rateLimitPerSecond,
      pages: { shape: 'meta', size: trial.rowsPerPage },
    },
    async ({ url, readControl }) => {
      const options: NetlifeSenderOptions = {
        baseUrl: url,
        portal,
        credentials,
        rateLimitPerSecond: trial.rateLimitPerSecond,
        ...(trial.runs !== undefined && { runs: trial.runs }),
      };
      const report = await runSender('netlife-sender', options, reportSchema);
      if (report.jobs !== trial.jobs || report.callsFailed > 0) {
        throw new Error(`${report.jobs} of ${trial.jobs} jobs, ${report.callsFailed} calls failed`);
      }
      return {
        ...report,
        arrivals: await readControl(`arrivals/${portal}`, arrivalsSchema),
        inspected: await inspect(readControl),
      };
    },
  );

/**
 * Calls per photo job, without those for further pages and without one access key call per subject. A second one for the
 * same subject counts. The simulator keeps 1,000 requests.
 */
const countCallsPerJob = async (readControl: RunningSimulator['readControl'], jobs: number): Promise<number> => {
  const { total, requests } = await readControl('requests', requestsSchema);
  if (requests.length < total) throw new Error('The simulator did not keep all requests');
  const facts = requests.map((request) => request.facts).filter(({ call }) => call !== 'activities');
  const subjects = new Set(facts.map(({ subject }) => subject).filter(Boolean));
  const furtherPages = facts.filter(({ page }) => page !== '1').length;
  return (facts.length - furtherPages - subjects.size) / jobs;
};

const measurePace = async (note: (line: string) => void) => {
  const jobs = 2;
  const { arrivals, inspected: callsPerJob } = await collect(
    { jobs, subjectsPerJob: 120, rowsPerPage: 25, latencyMs, rateLimitPerSecond: callsPerSecond },
    (readControl) => countCallsPerJob(readControl, jobs),
  );
  const { calls, calls_per_second, most_in_a_second } = arrivals;
  note(`${calls} calls in total, ${round(calls_per_second, 3)} per second at the simulator`);
  return {
    netlife_pace_ratio: round(calls_per_second / callsPerSecond, 4),
    netlife_max_per_s: most_in_a_second,
    netlife_calls_per_job: round(callsPerJob, 2),
  };
};

/** All calls per photo job of a second run, which knows the access keys: only those of subjects without one are looked for. */
const measureSecondRun = async (note: (line: string) => void) => {
  const trial = { jobs: 20, subjectsPerJob: 50, rowsPerPage: 1_000, latencyMs: 0, rateLimitPerSecond: unlimited };
  const [first, second] = [
    await collect(trial, async () => undefined),
    await collect({ ...trial, runs: 2 }, async () => undefined),
  ];
  if (first.contacts !== second.contacts) throw new Error(`${second.contacts} of ${first.contacts} contacts`);
  const minutes = (calls: number) => round(calls / callsPerSecond / 60, 2);
  note(
    `${first.calls} calls of a first run, ${second.calls} of the second: ${minutes(first.calls)} and ` +
      `${minutes(second.calls)} minutes at ${callsPerSecond} calls/s`,
  );
  return { netlife_repeat_calls_per_job: round(second.calls / trial.jobs, 2) };
};

/**
 * Every list fits on one page, so the critical path of a photo job is its subjects, then its details and users, and then
 * its access keys, 10 at a time.
 */
const measureCriticalPath = async (note: (line: string) => void) => {
  const [jobs, subjectsPerJob] = [40, 200];
  const { elapsedMs, contacts } = await collect(
    { jobs, subjectsPerJob, rowsPerPage: 1_000, latencyMs, rateLimitPerSecond: unlimited },
    async () => undefined,
  );
  const sequentialCallsPerJob = 2 + Math.ceil(subjectsPerJob / concurrentCalls);
  const criticalPathMs = latencyMs * (1 + (jobs / concurrentJobs) * sequentialCallsPerJob);
  note(
    `${contacts} contacts of ${jobs} jobs in ${round(elapsedMs / 1_000, 2)} s, of which ${criticalPathMs / 1_000} s wait`,
  );
  return { netlife_critical_path_ratio: round(elapsedMs / criticalPathMs, 3) };
};

/** Larger portals have more photo jobs, not larger ones, because a whole job except its contacts is in memory. */
const measureMemory = async (note: (line: string) => void) => {
  const peakOf = async (subjects: number): Promise<number> => {
    const { peakMib, elapsedMs, contacts } = await collect(
      { jobs: subjects / 100, subjectsPerJob: 100, rowsPerPage: 100, latencyMs: 0, rateLimitPerSecond: unlimited },
      async () => undefined,
    );
    note(
      `${subjects} subjects: peak ${round(peakMib, 1)} MiB, ${contacts} contacts in ${round(elapsedMs / 1_000, 1)} s`,
    );
    return peakMib;
  };
  const few = [await peakOf(1_000), await peakOf(1_000), await peakOf(1_000)];
  return { netlife_memory_ratio: round((await peakOf(100_000)) / median(few), 3) };
};

type NetlifeFigure =
  | 'netlife_pace_ratio'
  | 'netlife_max_per_s'
  | 'netlife_critical_path_ratio'
  | 'netlife_calls_per_job'
  | 'netlife_repeat_calls_per_job'
  | 'netlife_memory_ratio';

/** The Netlife sync and its simulator, each in its own process. The pace is measured at the simulator. */
export const netlife: FigureSet<NetlifeFigure> = {
  title: 'Netlife: pace, calls and memory',
  bars: {
    netlife_pace_ratio: { unit: `× ${callsPerSecond} calls/s`, bar: 0.95, better: 'higher' },
    netlife_max_per_s: { unit: 'calls in any second', bar: callsPerSecond, better: 'lower' },
    netlife_critical_path_ratio: { unit: '× critical path', bar: 1.2, better: 'lower' },
    netlife_calls_per_job: { unit: 'calls, pages and keys aside', bar: 4, better: 'lower' },
    netlife_repeat_calls_per_job: { unit: 'calls of a second run', bar: 12, better: 'lower' },
    netlife_memory_ratio: { unit: '100000 ÷ 1000 subjects', bar: 1.3, better: 'lower' },
  },
  measure: async (note) => ({
    ...(await measurePace(note)),
    ...(await measureSecondRun(note)),
    ...(await measureCriticalPath(note)),
    ...(await measureMemory(note)),
  }),
};

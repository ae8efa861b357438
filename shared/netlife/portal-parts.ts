import * as z from 'zod';
import { PipelineError } from '../errors';
import type { RunFolder } from '../runs/artifacts';
import type { NetlifeJob } from './activities';
import type { ResumableRead } from './client';
import { contactLines } from './contacts';
import type { JobPart } from './job';
import { type KeptPages, keptPageSchema } from './pages';
import type { Statistics } from './stats';
import type { RejectedRow, Taken } from './tally';

const takenSchema = z.object({ statistics: z.custom<Statistics>(), rejected: z.array(z.custom<RejectedRow>()) });
const jobsSchema = takenSchema.extend({ jobs: z.array(z.custom<NetlifeJob>()) });
const partSchema = takenSchema.extend({ through: z.string().optional(), csv: z.string() });
const failureSchema = z.object({ error: z.string(), error_code: z.string() });

/** Why a job failed; a sentence fit for a log, and its code. */
export type JobFailure = z.output<typeof failureSchema>;

/** What is written of one job. */
export interface WrittenJob {
  /** In the order of the job. */
  readonly parts: readonly string[];
  readonly done: boolean;
  /** Attempts in which it failed, in their order. */
  readonly failedAttempts: readonly string[];
}

const nothing: WrittenJob = { parts: [], done: false, failedAttempts: [] };
const partName = /^job\/([^/]+)\/(\d{5}(-last)?)\.json$/;
/** By their numbers: `one.10.0` comes after `one.2.0`. */
const byNumber = new Intl.Collator('en', { numeric: true });
const failureName = /^job\/([^/]+)\/failed\/(.+)\.json$/;

/**
 * What collecting a portal has written so far: its list of jobs, parts of jobs, failures of jobs, and what each
 * invocation counted beside. Every object is whole in itself and written once, so that whoever comes next sees from
 * their names alone where to go on.
 */
export const createPortalParts = (folder: RunFolder, portal: string) => {
  const root = `netlife/${portal}/parts/`;
  const jobRoot = (jobUuid: string): string => `${root}job/${encodeURIComponent(jobUuid)}/`;
  const numbered = (position: number): string => String(position).padStart(5, '0');

  return {
    /** What is written of the jobs, and beside them. */
    survey: async () => {
      const jobs = new Map<string, { parts: string[]; done: boolean; failedAttempts: string[] }>();
      const turns: string[] = [];
      const entry = (encoded: string) => {
        const uuid = decodeURIComponent(encoded);
        const known = jobs.get(uuid) ?? { parts: [], done: false, failedAttempts: [] };
        jobs.set(uuid, known);
        return known;
      };
      const paths = [...(await folder.list(`${root}job/`)), ...(await folder.list(`${root}turn/`))];
      for (const path of paths.sort()) {
        const name = path.slice(root.length);
        const part = partName.exec(name);
        const failure = failureName.exec(name);
        if (part?.[1] !== undefined) {
          entry(part[1]).parts.push(path);
          if (part[3] !== undefined) entry(part[1]).done = true;
        } else if (failure?.[1] !== undefined && failure[2] !== undefined) {
          entry(failure[1]).failedAttempts.push(failure[2]);
        } else if (name.startsWith('turn/')) turns.push(path);
      }
      for (const { failedAttempts } of jobs.values()) failedAttempts.sort(byNumber.compare);
      return { jobOf: (uuid: string): WrittenJob => jobs.get(uuid) ?? nothing, turns };
    },

    /**
     * The pages of long lists that are kept: those of the portal's own list of activities, or those of a job. Every
     * attempt at a run has its own, since another may find them changed, or mended.
     */
    surveyPages: async (attempt: string) => {
      const attemptRoot = `${root}page/${attempt}/`;
      const written = await folder.list(attemptRoot);
      return (jobUuid?: string): Required<Pick<ResumableRead, 'pagesOf'>> => ({
        pagesOf: (list): KeptPages => {
          const owner = jobUuid === undefined ? '' : `job/${encodeURIComponent(jobUuid)}/`;
          const pathOf = (position: number): string => `${attemptRoot}${owner}${list}/${numbered(position)}.json`;
          return {
            read: async (position) =>
              written.has(pathOf(position)) ? folder.readJson(pathOf(position), keptPageSchema) : undefined,
            write: (position, page) => folder.putOnce(pathOf(position), JSON.stringify(page)),
          };
        },
      });
    },

    readJobs: () => folder.readJson(`${root}jobs.json`, jobsSchema),
    writeJobs: (jobs: readonly NetlifeJob[], taken: Taken) =>
      folder.putOnce(`${root}jobs.json`, JSON.stringify({ jobs, ...taken })),

    readPart: async (path: string) => {
      const part = await folder.readJson(path, partSchema);
      if (part !== undefined) return part;
      throw new PipelineError('PAYLOAD_MISSING', `There is no part ${folder.keyOf(path)}`, { retryable: false });
    },
    /** @param position of the part in its job, from 0 */
    pathOf: ({ jobUuid, done }: Pick<JobPart, 'jobUuid' | 'done'>, position: number): string =>
      `${jobRoot(jobUuid)}${numbered(position)}${done ? '-last' : ''}.json`,
    /** @returns whether this call wrote it: what is there stays */
    writePart: (path: string, { through, contacts, statistics, rejected }: JobPart) =>
      folder.putOnce(path, JSON.stringify({ through, csv: contactLines(contacts), statistics, rejected })),

    readFailure: (jobUuid: string, attempt: string) =>
      folder.readJson(`${jobRoot(jobUuid)}failed/${attempt}.json`, failureSchema),
    writeFailure: (jobUuid: string, attempt: string, failure: JobFailure) =>
      folder.putOnce(`${jobRoot(jobUuid)}failed/${attempt}.json`, JSON.stringify(failure)),

    /** Where the merging of an attempt's parts keeps its cursor. */
    mergePath: (attempt: string): string => `${root}merge/${attempt}.json`,

    readTurn: (path: string) => folder.readJson(path, takenSchema),
    /** Keeps what an invocation counted that belongs to no part: calls, above all. */
    writeTurn: (invocation: string, taken: Taken) =>
      folder.putOnce(`${root}turn/${invocation}.json`, JSON.stringify(taken)),
  };
};

export type PortalParts = ReturnType<typeof createPortalParts>;

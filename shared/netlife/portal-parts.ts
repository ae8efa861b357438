import * as z from 'zod';
import { PipelineError } from '../errors';
import type { RunFolder } from '../runs/artifacts';
import type { NetlifeJob } from './activities';
import { contactLines } from './contacts';
import type { JobPart } from './job';
import type { ResumableRead } from './list-reader';
import { type KeptPages, keptPageSchema } from './pages';
import type { Statistics } from './stats';
import type { RejectedRow, Taken } from './tally';

const takenSchema = z.object({ statistics: z.custom<Statistics>(), rejected: z.array(z.custom<RejectedRow>()) });
const turnSchema = takenSchema.extend({ calls_per_second: z.number().optional() });
const jobsSchema = takenSchema.extend({ jobs: z.array(z.custom<NetlifeJob>()) });
const partSchema = takenSchema.extend({ through: z.string().optional(), csv: z.string() });
const failureSchema = z.object({ error: z.string(), error_code: z.string() });

/** Why a job failed: one sentence, safe to log, and its code. */
export type JobFailure = z.output<typeof failureSchema>;

/** The written objects of one job. */
export interface WrittenJob {
  /** Paths of its parts, in order. */
  readonly parts: readonly string[];
  readonly done: boolean;
  /** Attempts in which it failed, in order. */
  readonly failedAttempts: readonly string[];
}

const nothing: WrittenJob = { parts: [], done: false, failedAttempts: [] };
const partName = /^job\/([^/]+)\/(\d{5}(-last)?)\.json$/;
/** Orders `one.10.0` after `one.2.0`. */
const byNumber = new Intl.Collator('en', { numeric: true });
const failureName = /^job\/([^/]+)\/failed\/(.+)\.json$/;
const partsRoot = (portal: string): string => `netlife/${portal}/parts/`;
const jobsName = 'jobs.json';

/** What the paths of a portal's objects say about its jobs. */
export const portalPaths = (portal: string) => {
  const root = partsRoot(portal);
  return {
    /** The list of jobs. */
    jobs: root + jobsName,
    /** Of this list, and of all objects that close a job. */
    prefix: `${root}job`,
    /** The job that an object closes, with its last part or as a failure of an attempt; undefined if it closes none. */
    readClosing: (path: string): { readonly jobUuid: string; readonly hasFailed: boolean } | undefined => {
      const name = path.slice(root.length);
      const part = partName.exec(name);
      const encoded = part?.[3] === undefined ? failureName.exec(name)?.[1] : part[1];
      return encoded === undefined ? undefined : { jobUuid: decodeURIComponent(encoded), hasFailed: part === null };
    },
  };
};

/**
 * The objects that collecting a portal writes: the list of jobs, parts of jobs, failures of jobs, and counts of each
 * invocation that belong to no part. Every object is self-contained and written once, so that their names alone show
 * the next turn where to resume.
 */
export const createPortalParts = (folder: RunFolder, portal: string) => {
  const root = partsRoot(portal);
  const jobRoot = (jobUuid: string): string => `${root}job/${encodeURIComponent(jobUuid)}/`;
  const numbered = (position: number): string => String(position).padStart(5, '0');

  return {
    /** Lists the written objects of the jobs, and the counts of the turns. */
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
     * The stored pages of long lists: of the portal's list of activities, or of a job's lists. Every attempt at a run
     * has its own, because a later attempt may find them changed or fixed.
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

    readJobs: () => folder.readJson(root + jobsName, jobsSchema),
    writeJobs: (jobs: readonly NetlifeJob[], taken: Taken) =>
      folder.putOnce(root + jobsName, JSON.stringify({ jobs, ...taken })),

    readPart: async (path: string) => {
      const part = await folder.readJson(path, partSchema);
      if (part !== undefined) return part;
      throw new PipelineError('PAYLOAD_MISSING', `There is no part ${folder.keyOf(path)}`, { retryable: false });
    },
    /** @param position of the part in its job, from 0 */
    pathOf: ({ jobUuid, done }: Pick<JobPart, 'jobUuid' | 'done'>, position: number): string =>
      `${jobRoot(jobUuid)}${numbered(position)}${done ? '-last' : ''}.json`,
    /** @returns whether this call wrote it; an existing part is kept */
    writePart: (path: string, { through, contacts, statistics, rejected }: JobPart) =>
      folder.putOnce(path, JSON.stringify({ through, csv: contactLines(contacts), statistics, rejected })),

    readFailure: (jobUuid: string, attempt: string) =>
      folder.readJson(`${jobRoot(jobUuid)}failed/${attempt}.json`, failureSchema),
    writeFailure: (jobUuid: string, attempt: string, failure: JobFailure) =>
      folder.putOnce(`${jobRoot(jobUuid)}failed/${attempt}.json`, JSON.stringify(failure)),

    /** Path of the cursor of an attempt's merge. */
    mergePath: (attempt: string): string => `${root}merge/${attempt}.json`,

    readTurn: (path: string) => folder.readJson(path, turnSchema),
    /** Stores the counts of an invocation that belong to no part, mainly calls, and the portal's limit. */
    writeTurn: (invocation: string, turn: z.input<typeof turnSchema>) =>
      folder.putOnce(`${root}turn/${invocation}.json`, JSON.stringify(turn)),
  };
};

export type PortalParts = ReturnType<typeof createPortalParts>;

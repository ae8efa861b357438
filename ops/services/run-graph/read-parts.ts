import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { createUserParts } from '../../../shared/iterable/user-parts';
import { jobsAtATime } from '../../../shared/netlife/job';
import { createPortalParts, portalPaths } from '../../../shared/netlife/portal-parts';
import { createRunFolders, type RunFolder } from '../../../shared/runs/artifacts';
import type { StageConnection } from '../stage-connection';
import { type PartTimeline, partTimelines, sortByInterest, type WrittenPart } from './parts';
import type { WaterfallRow } from './waterfall';

/** A row of the waterfall with the parts that its state works on. */
export interface WaterfallRowWithParts extends WaterfallRow {
  /** Absent for a state that has no parts, or whose parts expired. */
  readonly parts?: {
    readonly total: number;
    /** At most 200, in the order of `sortByInterest`. */
    readonly shown: readonly PartTimeline[];
  };
}

/** Paths and the epoch ms at which the objects were written. */
type WrittenAt = ReadonlyMap<string, number>;

const maxShown = 200;
/** Number of parts that a state works on at a time. */
const slotsOf = { CollectPortal: jobsAtATime, PushUsers: 1 } as const;

/**
 * Reads the parts of runs from the objects in their folders. Keeps what can no longer change: a live waterfall lists only
 * the objects of states that run.
 */
export const createRunParts = ({ s3, artifactsBucketName }: Pick<StageConnection, 's3' | 'artifactsBucketName'>) => {
  const openFolder = createRunFolders(s3, artifactsBucketName);
  const ended = new Map<string, WaterfallRowWithParts['parts']>();
  const jobsOf = new Map<string, readonly string[]>();

  const listTimes = async (folder: RunFolder, prefix: string): Promise<WrittenAt> => {
    const times = new Map<string, number>();
    const root = folder.keyOf('');
    const request = { Bucket: artifactsBucketName, Prefix: root + prefix };
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, request)) {
      for (const { Key = '', LastModified } of Contents)
        times.set(Key.slice(root.length), LastModified?.getTime() ?? 0);
    }
    return times;
  };

  const readJobs = async (folder: RunFolder, portal: string): Promise<readonly string[]> => {
    const key = folder.keyOf(portal);
    const known = jobsOf.get(key);
    if (known !== undefined) return known;
    const listed = await createPortalParts(folder, portal).readJobs();
    const jobs = (listed?.jobs ?? []).map(({ uuid }) => uuid);
    if (listed !== undefined) jobsOf.set(key, jobs);
    return jobs;
  };

  const readPortal = async (folder: RunFolder, portal: string): Promise<WrittenPart[]> => {
    const paths = portalPaths(portal);
    const times = await listTimes(folder, paths.prefix);
    const closings = new Map<string, WrittenPart['closings'][number][]>();
    for (const [path, atMs] of times) {
      const closed = paths.readClosing(path);
      if (closed === undefined) continue;
      const { jobUuid, hasFailed } = closed;
      closings.set(
        jobUuid,
        [...(closings.get(jobUuid) ?? []), { atMs, hasFailed }].sort((a, b) => a.atMs - b.atMs),
      );
    }
    const readyMs = times.get(paths.jobs);
    if (readyMs === undefined) return [];
    return (await readJobs(folder, portal)).map((name) => ({ name, readyMs, closings: closings.get(name) ?? [] }));
  };

  const readUsers = async (folder: RunFolder): Promise<WrittenPart[]> => {
    const parts = createUserParts(folder);
    const [paths, times] = await Promise.all([parts.listToSend(), listTimes(folder, parts.root)]);
    return paths.map((path, index) => {
      const atMs = times.get(parts.resultsPath(path));
      const closings = atMs === undefined ? [] : [{ atMs, hasFailed: false }];
      return { name: `part ${index + 1}`, readyMs: times.get(path) ?? 0, closings };
    });
  };

  const readParts = async (folder: RunFolder, { portal, state, turns }: WaterfallRow) => {
    const worker = state === 'CollectPortal' || state === 'PushUsers' ? state : undefined;
    if (worker === undefined) return undefined;
    const key = `${folder.keyOf(portal ?? '')} ${state} ${turns.map(({ endedMs }) => endedMs).join(' ')}`;
    const known = ended.get(key);
    if (known !== undefined) return known;
    const parts = portal === undefined ? await readUsers(folder) : await readPortal(folder, portal);
    if (parts.length === 0) return undefined;
    const timelines = partTimelines(parts, turns, slotsOf[worker]);
    const read = { total: timelines.length, shown: sortByInterest(timelines).slice(0, maxShown) };
    if (turns.at(-1)?.endedMs !== undefined) ended.set(key, read);
    return read;
  };

  return {
    /** Adds the parts to the rows of a run's waterfall. */
    addTo: (runId: string, rows: readonly WaterfallRow[]): Promise<WaterfallRowWithParts[]> => {
      const folder = openFolder(runId);
      return Promise.all(
        rows.map(async (row) => {
          const parts = await readParts(folder, row);
          return parts === undefined ? row : { ...row, parts };
        }),
      );
    },
  };
};

import { parseTime } from '../time';
import type { Activity, JobDetails, Subject } from './schemas';

/** A job with something on sale: the unit of work. */
export interface NetlifeJob {
  readonly uuid: string;
  /** At least one; the first on sale comes first. */
  readonly activities: readonly Activity[];
}

/** Where a subject's activities were found. */
export type ResolutionStrategy = 'images' | 'subject' | 'job';

export interface SubjectActivities {
  readonly activities: readonly Activity[];
  readonly strategy: ResolutionStrategy;
}

/** A comparison for `sort` that is the same on every machine, unlike one by locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isUtc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/;

/**
 * Reads when an activity went on sale. A time without an offset is in UTC, and a day begins at midnight UTC.
 *
 * @returns `utc` in ISO 8601; `undefined` when the text is empty or names no real instant
 */
export const readStarting = (starting: string): { readonly utc: string; readonly ms: number } | undefined => {
  const text = starting.trim();
  const time = parseTime(text);
  if (time === undefined) return undefined;
  const ms = 'day' in time ? Date.parse(`${time.day}T00:00:00Z`) : time.instant.ms;
  return { utc: isUtc.test(text) ? text : new Date(ms).toISOString(), ms };
};

/** Whether an activity says when it went on sale, but not in a way that can be read. */
export const hasUnreadableStart = ({ starting }: Activity): boolean =>
  starting.trim() !== '' && readStarting(starting) === undefined;

const startMsOf = ({ starting }: Activity): number => readStarting(starting)?.ms ?? Number.MAX_VALUE;
const byStart = (a: Activity, b: Activity): number => startMsOf(a) - startMsOf(b) || compareText(a.uuid, b.uuid);

/** The jobs of a portal, by uuid; with `onlyJobIds` that is not empty, only these. */
export const groupByJob = (activities: readonly Activity[], onlyJobIds: readonly string[] = []): NetlifeJob[] => {
  const wanted = new Set(onlyJobIds);
  const byJob = Map.groupBy(activities, ({ jobUuid }) => jobUuid);
  return [...byJob]
    .filter(([uuid]) => wanted.size === 0 || wanted.has(uuid))
    .map(([uuid, ofJob]) => ({ uuid, activities: ofJob.toSorted(byStart) }))
    .sort((a, b) => compareText(a.uuid, b.uuid));
};

/** Of the jobs that were asked for, those that are not there: nothing of theirs is on sale at this portal. */
export const jobsNotOnSale = (jobs: readonly NetlifeJob[], onlyJobIds: readonly string[]): string[] => {
  const found = new Set(jobs.map(({ uuid }) => uuid));
  return [...new Set(onlyJobIds)].filter((uuid) => !found.has(uuid));
};

/**
 * Which of the job's activities on sale a subject belongs to: by its images, else by the activity it names itself, else
 * the job's first. An activity that is not on sale counts for nothing.
 */
export const resolveActivities = (
  subject: Subject,
  details: JobDetails,
  { activities }: NetlifeJob,
): SubjectActivities => {
  const images = [...subject.images, ...(details.imagesBySubject.get(subject.uuid) ?? [])];
  const ofImages = new Set(
    images.map(({ uuid, activityUuid }) => activityUuid ?? details.activityUuidByImage.get(uuid ?? '')),
  );
  const found = activities.filter(({ uuid }) => ofImages.has(uuid));
  if (found.length > 0) return { activities: found, strategy: 'images' };
  const named = activities.filter(({ uuid }) => uuid === subject.activityUuid);
  if (named.length > 0) return { activities: named, strategy: 'subject' };
  return { activities: activities.slice(0, 1), strategy: 'job' };
};

import { parseTime } from '../time';
import type { Activity, JobDetails, Subject } from './schemas';

/** A photo job with something on sale: the unit of work. */
export interface NetlifeJob {
  readonly uuid: string;
  /** At least one, ordered by start of sale. */
  readonly activities: readonly Activity[];
}

/** Source of a subject's activities. */
export type ResolutionStrategy = 'images' | 'subject' | 'job';

export interface SubjectActivities {
  readonly activities: readonly Activity[];
  readonly strategy: ResolutionStrategy;
}

/** Comparison for `sort`, independent of the locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isUtc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/;

/**
 * Reads the start of sale of an activity. A time without an offset is UTC, and a day starts at midnight UTC.
 *
 * @returns `utc` in ISO 8601; `undefined` if the text is empty or is no real instant
 */
export const readStarting = (starting: string): { readonly utc: string; readonly ms: number } | undefined => {
  const text = starting.trim();
  const time = parseTime(text);
  if (time === undefined) return undefined;
  const ms = 'day' in time ? Date.parse(`${time.day}T00:00:00Z`) : time.instant.ms;
  return { utc: isUtc.test(text) ? text : new Date(ms).toISOString(), ms };
};

/** Whether an activity has a start of sale that cannot be read. */
export const hasUnreadableStart = ({ starting }: Activity): boolean =>
  starting.trim() !== '' && readStarting(starting) === undefined;

const startMsOf = ({ starting }: Activity): number => readStarting(starting)?.ms ?? Number.MAX_VALUE;
const byStart = (a: Activity, b: Activity): number => startMsOf(a) - startMsOf(b) || compareText(a.uuid, b.uuid);

/** The jobs of a portal, ordered by uuid; only those of `onlyJobIds`, if it is not empty. */
export const groupByJob = (activities: readonly Activity[], onlyJobIds: readonly string[] = []): NetlifeJob[] => {
  const wanted = new Set(onlyJobIds);
  const byJob = Map.groupBy(activities, ({ jobUuid }) => jobUuid);
  return [...byJob]
    .filter(([uuid]) => wanted.size === 0 || wanted.has(uuid))
    .map(([uuid, ofJob]) => ({ uuid, activities: ofJob.toSorted(byStart) }))
    .sort((a, b) => compareText(a.uuid, b.uuid));
};

/** The requested jobs that are missing, because this portal has nothing of them on sale. */
export const jobsNotOnSale = (jobs: readonly NetlifeJob[], onlyJobIds: readonly string[]): string[] => {
  const found = new Set(jobs.map(({ uuid }) => uuid));
  return [...new Set(onlyJobIds)].filter((uuid) => !found.has(uuid));
};

/**
 * The job's activities on sale that a subject belongs to: by its images, else by the activity that it names, else the
 * job's first. Activities that are not on sale are ignored.
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

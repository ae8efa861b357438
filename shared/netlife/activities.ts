import type { Activity, JobDetails, Subject } from './schemas';

/** A job with something on sale: the unit of work. */
export interface Job {
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

const endOfTime = '~';
const byStart = (a: Activity, b: Activity) =>
  compareText(a.starting || endOfTime, b.starting || endOfTime) || compareText(a.uuid, b.uuid);

/** The jobs of a portal, by uuid; with `onlyJobIds` that is not empty, only these. */
export const groupByJob = (activities: readonly Activity[], onlyJobIds: readonly string[] = []): Job[] => {
  const wanted = new Set(onlyJobIds);
  const byJob = Map.groupBy(activities, ({ jobUuid }) => jobUuid);
  return [...byJob]
    .filter(([uuid]) => wanted.size === 0 || wanted.has(uuid))
    .map(([uuid, ofJob]) => ({ uuid, activities: ofJob.toSorted(byStart) }))
    .sort((a, b) => compareText(a.uuid, b.uuid));
};

/** Of the jobs that were asked for, those that are not there: nothing of theirs is on sale at this portal. */
export const jobsNotOnSale = (jobs: readonly Job[], onlyJobIds: readonly string[]): string[] => {
  const found = new Set(jobs.map(({ uuid }) => uuid));
  return [...new Set(onlyJobIds)].filter((uuid) => !found.has(uuid));
};

/**
 * Which of the job's activities on sale a subject belongs to: by its images, else by the activity it names itself, else
 * the job's first. An activity that is not on sale counts for nothing.
 */
export const resolveActivities = (subject: Subject, details: JobDetails, { activities }: Job): SubjectActivities => {
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

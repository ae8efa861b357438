import { compareText, type NetlifeJob, resolveActivities } from './activities';
import { type EnrichedSubject, reachOf } from './contacts';
import type { Audience } from './input';
import type { JobDetails, RegisteredUser, Subject } from './schemas';

export interface SubjectLists {
  readonly buyers: readonly Subject[];
  readonly nonBuyers: readonly Subject[];
}

export interface JobFacts {
  readonly job: NetlifeJob;
  readonly audience: Audience;
  readonly lists: SubjectLists;
  /** By the subject's uuid. */
  readonly users: ReadonlyMap<string, RegisteredUser>;
  readonly details: JobDetails;
}

const byUuid = (a: { readonly uuid: string }, b: { readonly uuid: string }) => compareText(a.uuid, b.uuid);

/** Rows unique and ordered by uuid, so that the result does not depend on pages or their order. */
export const uniqueByUuid = <T extends { readonly uuid: string }>(rows: readonly T[]): T[] =>
  [...new Map(rows.map((row) => [row.uuid, row])).values()].sort(byUuid);

/**
 * The subjects of the audience, ordered by uuid, enriched. A subject in both lists is a buyer and has the row of the
 * list of buyers. The audience `buyers` reads only that list, so the row is the same for every audience.
 */
export const enrichSubjects = ({ job, audience, lists, users, details }: JobFacts): EnrichedSubject[] => {
  const buyers = new Set(lists.buyers.map(({ uuid }) => uuid));
  return uniqueByUuid([...lists.nonBuyers, ...lists.buyers])
    .map((subject) => ({
      subject,
      buyer: buyers.has(subject.uuid),
      reach: reachOf(subject),
      registeredUser: users.get(subject.uuid),
      ...resolveActivities(subject, details, job),
    }))
    .filter(({ buyer }) => audience === 'both' || buyer === (audience === 'buyers'));
};

import { compareText, type NetlifeJob, resolveActivities } from './activities';
import { type EnrichedSubject, reachOf } from './contacts';
import type { Audience } from './input';
import type { JobDetails, RegisteredUser, Subject } from './schemas';

export interface SubjectLists {
  readonly buyers: readonly Subject[];
  readonly nonBuyers: readonly Subject[];
}

/** A subject of the audience. */
export type AudienceMember = Pick<EnrichedSubject, 'subject' | 'buyer'>;

export interface JobFacts {
  readonly job: NetlifeJob;
  readonly subjects: readonly AudienceMember[];
  /** By the subject's uuid. */
  readonly users: ReadonlyMap<string, RegisteredUser>;
  readonly details: JobDetails;
}

const byUuid = (a: { readonly uuid: string }, b: { readonly uuid: string }) => compareText(a.uuid, b.uuid);

/** Rows unique and ordered by uuid, so that the result does not depend on pages or their order. */
export const uniqueByUuid = <T extends { readonly uuid: string }>(rows: readonly T[]): T[] =>
  [...new Map(rows.map((row) => [row.uuid, row])).values()].sort(byUuid);

/**
 * The subjects of the audience, ordered by uuid. A subject in both lists is a buyer and has the row of the list of
 * buyers. The audience `buyers` reads only that list, so the row is the same for every audience.
 */
export const selectAudience = ({ buyers, nonBuyers }: SubjectLists, audience: Audience): AudienceMember[] => {
  const buyerIds = new Set(buyers.map(({ uuid }) => uuid));
  return uniqueByUuid([...nonBuyers, ...buyers])
    .map((subject) => ({ subject, buyer: buyerIds.has(subject.uuid) }))
    .filter(({ buyer }) => audience === 'both' || buyer === (audience === 'buyers'));
};

/** Adds everything that contacts need except the access key. */
export const enrichSubjects = ({ job, subjects, users, details }: JobFacts): EnrichedSubject[] =>
  subjects.map(({ subject, buyer }) => ({
    subject,
    buyer,
    reach: reachOf(subject),
    registeredUser: users.get(subject.uuid),
    ...resolveActivities(subject, details, job),
  }));

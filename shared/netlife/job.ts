import { mapInOrderSettled } from '../concurrency/settled';
import { type PipelineError, toPipelineError } from '../errors';
import type { NetlifeJob } from './activities';
import { isLoginRefusal } from './api';
import type { NetlifeClient, ResumableRead } from './client';
import { type Contact, contactsOf, type EnrichedSubject, hasEmail, hasPhone, isWanted } from './contacts';
import type { Audience, ContactFilter } from './input';
import type { StatisticsDelta } from './stats';
import type { Taken } from './tally';

export interface CollectOptions {
  readonly audience: Audience;
  readonly contactFilter: ContactFilter;
  readonly checkRegisteredUsers: boolean;
  /** Asks for the registered users too. */
  readonly registeredOnly: boolean;
  /** False in a dry run, whatever its input says. */
  readonly createAccessKeys: boolean;
  readonly consent: string;
  /** The run's start, ISO 8601 UTC. */
  readonly startedAt: string;
  /** The `through` of the job's last part that was written: the job goes on behind it. */
  readonly after?: string | undefined;
  /** Whether the time is up: what is under way is finished, nothing new begun. Never unless told. */
  readonly isTimeUp?: () => boolean;
  /** Where the pages of its lists are kept, so that a later call does not begin with the first again. Nowhere unless told. */
  readonly pagesOf?: ResumableRead['pagesOf'];
  /** Subjects in a part, at most. */
  readonly subjectsPerPart?: number;
}

/**
 * A piece of a job, whole in itself: contacts, rejected rows and statistics that stand in no other part. Most jobs are
 * one part; a job that is large, or that the time ran out on, is several.
 */
export interface JobPart extends Taken {
  readonly jobUuid: string;
  /** The subject, by uuid, behind which this part begins; `undefined` for the job's first. */
  readonly after: string | undefined;
  /** The last subject that was dealt with, in this part or before. */
  readonly through: string | undefined;
  /** Whether it is the job's last part. */
  readonly done: boolean;
  /** By the subject's uuid, whatever the pages and their order were. */
  readonly contacts: readonly Contact[];
}

const callsAtATime = 10;
const subjectsInPart = 1_000;

/**
 * Collects the contacts of one job, as one of the 10 that may be in work at a time. Each part is handed to `write` when
 * it is complete, and nothing is done for the job until that is settled, so that memory holds one part of it.
 *
 * @returns whether the job is done; if not, the time was up, and a later call with `after` continues it
 * @throws {PipelineError} when the job failed: details, a list or the users could not be had, or the access keys of over
 * half of a part's subjects; see also `isLoginRefusal`. Of what it did since its last part, only the calls stay counted
 */
export const collectJob = (
  client: NetlifeClient,
  job: NetlifeJob,
  options: CollectOptions,
  write: (part: JobPart) => Promise<unknown>,
): Promise<boolean> => {
  const isTimeUp = options.isTimeUp ?? (() => false);
  return client.inJobSlot(async () => {
    if (isTimeUp()) return false;
    try {
      return await collect(client, job, { ...options, isTimeUp }, write);
    } catch (error) {
      // With more time, another try would have been made.
      if (isTimeUp() && toPipelineError(error).retryable) return false;
      throw error;
    } finally {
      client.discardStats(job.uuid);
      client.releaseJob(job.uuid);
    }
  });
};

const collect = async (
  client: NetlifeClient,
  job: NetlifeJob,
  options: CollectOptions & { readonly isTimeUp: () => boolean },
  write: (part: JobPart) => Promise<unknown>,
): Promise<boolean> => {
  const checkRegisteredUsers = options.checkRegisteredUsers || options.registeredOnly;
  const filters = { audience: options.audience, checkRegisteredUsers };
  const subjects = await client.getEnrichedSubjects(job, filters, options);
  const { name: jobName } = await client.getJobDetails(job.uuid);
  if (options.after === undefined) client.addSubjectStats(job.uuid, countSubjects(subjects, checkRegisteredUsers));
  else client.discardStats(job.uuid);

  const left = subjects.filter((enriched) => isWanted(enriched, options) && isBehind(enriched, options.after));
  const context = { portal: client.portal, job, jobName, consent: options.consent, startedAt: options.startedAt };
  const partSize = options.subjectsPerPart ?? subjectsInPart;
  let after = options.after;
  for (let start = 0; ; start += partSize) {
    const wanted = left.slice(start, start + partSize);
    const { contacts, subjectsDone } = await collectContacts(client, wanted, options, context);
    const through = wanted[subjectsDone - 1]?.subject.uuid ?? after;
    const isCutShort = subjectsDone < wanted.length;
    const done = !isCutShort && start + partSize >= left.length;
    if (done) client.incrementJobProcessed(job.uuid);
    if (done || subjectsDone > 0) {
      client.addSubjectStats(job.uuid, { contacts_written: contacts.length });
      await write({ jobUuid: job.uuid, after, through, done, contacts, ...client.takeStats(job.uuid) });
    }
    if (done || isCutShort) return done;
    after = through;
  }
};

interface AccessKeyOutcome {
  readonly key?: string | undefined;
  readonly fault?: PipelineError;
}

const isBehind = ({ subject }: EnrichedSubject, after: string | undefined): boolean =>
  after === undefined || subject.uuid > after;

const collectContacts = async (
  client: NetlifeClient,
  wanted: readonly EnrichedSubject[],
  { createAccessKeys, isTimeUp }: CollectOptions & { readonly isTimeUp: () => boolean },
  context: Parameters<typeof contactsOf>[2],
) => {
  const job = context.job.uuid;
  const contacts: Contact[] = [];
  let subjectsDone = 0;
  const faults: PipelineError[] = [];

  const accessKeyOf = async ({ subject }: EnrichedSubject): Promise<AccessKeyOutcome> => {
    try {
      return { key: await client.getOrCreateAccessKey(job, subject, createAccessKeys) };
    } catch (fault) {
      const error = toPipelineError(fault);
      const isTheirs = error.api === 'netlife' && !isLoginRefusal(error);
      if (!isTheirs) throw fault;
      return { fault: error };
    }
  };

  const untilTimeIsUp = function* () {
    for (const subject of wanted) {
      if (isTimeUp()) return;
      yield subject;
    }
  };

  for await (const { fault, key } of mapInOrderSettled(untilTimeIsUp(), callsAtATime, accessKeyOf)) {
    const enriched = wanted[subjectsDone];
    // A call that the end of time cut off says nothing about its subject.
    if (enriched === undefined || (fault?.retryable && isTimeUp())) break;
    subjectsDone++;
    if (fault !== undefined) {
      faults.push(fault);
      client.addSubjectStats(job, { access_keys_failed: 1, errors: [fault.message] });
    }
    if (key !== undefined) contacts.push(...contactsOf(enriched, key, context));
  }
  if (faults.length * 2 > subjectsDone) throw faults.at(-1);
  return { contacts, subjectsDone };
};

const countSubjects = (subjects: readonly EnrichedSubject[], checkRegisteredUsers: boolean): StatisticsDelta => {
  const count = (holds: (enriched: EnrichedSubject) => boolean) => subjects.filter(holds).length;
  const found = count(({ registeredUser }) => registeredUser !== undefined);
  return {
    subjects_total: subjects.length,
    subjects_buyers: count(({ buyer }) => buyer),
    subjects_non_buyers: count(({ buyer }) => !buyer),
    subjects_with_phones: count(({ reach }) => hasPhone(reach)),
    subjects_with_emails: count(({ reach }) => hasEmail(reach)),
    subjects_with_images: count(({ subject }) => subject.images.length > 0),
    registered_users_checked: checkRegisteredUsers ? subjects.length : 0,
    registered_users_found: found,
    phones_unusable: subjects.reduce((total, { reach }) => total + reach.unusablePhones, 0),
  };
};

import { mapInOrderSettled } from '../concurrency/settled';
import { type PipelineError, toPipelineError } from '../errors';
import type { NetlifeJob } from './activities';
import { isLoginRefusal } from './api';
import type { NetlifeClient } from './client';
import { type Contact, contactsOf, type EnrichedSubject, hasEmail, hasPhone, isWanted } from './contacts';
import type { Audience, ContactFilter } from './input';
import type { KnownKeys } from './known-keys';
import type { ResumableRead } from './list-reader';
import type { StatisticsDelta } from './stats';
import type { Taken } from './tally';

export interface CollectOptions {
  readonly audience: Audience;
  readonly contactFilter: ContactFilter;
  readonly checkRegisteredUsers: boolean;
  /** Only registered users; implies `checkRegisteredUsers`. */
  readonly registeredOnly: boolean;
  /** Always false in a dry run. */
  readonly createAccessKeys: boolean;
  /** Access keys of the job from earlier runs. Default: none. */
  readonly knownKeys?: KnownKeys;
  readonly consent: string;
  /** Start of the run, ISO 8601 UTC. */
  readonly startedAt: string;
  /** The `through` of the job's last written part: the job resumes after it. */
  readonly after?: string | undefined;
  /** Whether the time is up: work in flight is finished, and nothing new is started. Default: never. */
  readonly isTimeUp?: () => boolean;
  /** Where the pages of its lists are stored, so that a later call resumes there. Default: nowhere. */
  readonly pagesOf?: ResumableRead['pagesOf'];
  /** Maximum number of subjects in a part. */
  readonly subjectsPerPart?: number;
}

/**
 * A self-contained part of a job: contacts, rejected rows and statistics that are in no other part. Most jobs have one
 * part. A job that is large, or that ran out of time, has several.
 */
export interface JobPart extends Taken {
  readonly jobUuid: string;
  /** Uuid of the last subject before this part; `undefined` for the job's first part. */
  readonly after: string | undefined;
  /** Uuid of the last subject that was processed, in this part or before. */
  readonly through: string | undefined;
  /** Whether it is the job's last part. */
  readonly done: boolean;
  /** Ordered by the subject's uuid. */
  readonly contacts: readonly Contact[];
}

/** Number of jobs of a portal that are collected at a time: the calls of one job often wait for each other. */
export const jobsAtATime = 10;

const callsAtATime = 10;
const subjectsInPart = 1_000;

/**
 * Collects the contacts of one job, as one of at most {@link jobsAtATime}. Passes each complete part to `write` and waits for
 * it before continuing, so that memory holds one part of the job.
 *
 * @returns whether the job is done; if not, the time was up, and a later call with `after` resumes it
 * @throws {PipelineError} if the job failed: its details, a list or its users could not be fetched, or the access keys
 * of over half of a part's subjects; see also `isLoginRefusal`. Since the last part, only calls stay counted
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
      // The call may only have run out of time for another try.
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
  // A job without subjects has no contacts that show its name.
  const { name: jobName } = subjects.length === 0 ? { name: '' } : await client.getJobDetails(job.uuid);
  if (options.after === undefined) client.addSubjectStats(job.uuid, countSubjects(subjects, checkRegisteredUsers));
  else client.discardStats(job.uuid);

  const left = subjects.filter((enriched) => isWanted(enriched, options) && isAfter(enriched, options.after));
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

const isAfter = ({ subject }: EnrichedSubject, after: string | undefined): boolean =>
  after === undefined || subject.uuid > after;

const collectContacts = async (
  client: NetlifeClient,
  wanted: readonly EnrichedSubject[],
  { createAccessKeys: create, knownKeys: known, isTimeUp }: CollectOptions & { readonly isTimeUp: () => boolean },
  context: Parameters<typeof contactsOf>[2],
) => {
  const job = context.job.uuid;
  const contacts: Contact[] = [];
  let subjectsDone = 0;
  const faults: PipelineError[] = [];

  const accessKeyOf = async ({ subject }: EnrichedSubject): Promise<AccessKeyOutcome> => {
    try {
      return { key: await client.getOrCreateAccessKey(job, subject, { create, known }) };
    } catch (fault) {
      const error = toPipelineError(fault);
      const isJobFailure = error.api === 'netlife' && !isLoginRefusal(error);
      if (!isJobFailure) throw fault;
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
    // A call that ran out of time says nothing about its subject.
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

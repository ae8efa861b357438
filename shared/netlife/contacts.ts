import { csvLine, guardFormula } from '../csv';
import { fileStamp } from '../runs/files';
import { type NetlifeJob, readStarting, type SubjectActivities } from './activities';
import type { Audience, ContactFilter } from './input';
import { formatPhone } from './phone';
import type { Portal } from './portals';
import type { RegisteredUser, Subject } from './schemas';

export const contactColumns = [
  'portal',
  'job_uuid',
  'job_name',
  'subject_uuid',
  'external_id',
  'first_name',
  'last_name',
  'parent_name',
  'phone_number',
  'phone_number_2',
  'email',
  'email_2',
  'country',
  'group',
  'buyer',
  'access_code',
  'url',
  'custom_gallery_url',
  'sms_marketing_consent',
  'sms_marketing_timestamp',
  'sms_transactional_consent',
  'sms_transactional_timestamp',
  'activity_uuid',
  'activity_name',
  'registered_user',
  'registered_user_email',
  'registered_user_uuid',
  'resolution_strategy',
] as const;

export type ContactColumn = (typeof contactColumns)[number];

/** One row of the contacts file: a subject in an activity. */
export type Contact = Readonly<Record<ContactColumn, string>>;

/** Phone numbers and e-mail addresses of a subject. */
export interface Reach {
  readonly phoneNumber: string;
  readonly phoneNumber2: string;
  readonly email: string;
  readonly email2: string;
  /** Number of phone numbers that cannot be dialled. */
  readonly unusablePhones: number;
}

/** A subject with everything that its contacts need except the access key. */
export interface EnrichedSubject extends SubjectActivities {
  readonly subject: Subject;
  readonly buyer: boolean;
  readonly reach: Reach;
  readonly registeredUser: RegisteredUser | undefined;
}

/** Common values of a job's contacts. */
export interface ContactContext {
  readonly portal: Portal;
  readonly job: Pick<NetlifeJob, 'uuid'>;
  readonly jobName: string;
  readonly consent: string;
  /** Start of the run, ISO 8601 UTC: used for an activity without a readable start of sale. */
  readonly startedAt: string;
}

const firstFilled = (...texts: readonly string[]): string => texts.map((text) => text.trim()).find(Boolean) ?? '';

/** The second delivery's value if it differs from the first's, otherwise the subject's own second value. */
const secondOf = (first: string, second: string, own: string, normalize: (text: string) => string): string => {
  const [one, other] = [first.trim(), second.trim()];
  const differs = other !== '' && other !== one && normalize(other) !== normalize(one);
  return firstFilled(differs ? other : own);
};

/** The rules of the columns `phone_number`, `phone_number_2`, `email` and `email_2` (docs/contracts/netlife.md). */
export const reachOf = ({ delivery1, delivery2, ...own }: Subject): Reach => {
  const written = [
    firstFilled(delivery1.phone, delivery2.phone, own.phoneNumber),
    secondOf(delivery1.phone, delivery2.phone, own.phoneNumber2, (phone) => formatPhone(phone) || phone),
  ];
  const [phoneNumber = '', phoneNumber2 = ''] = written.map(formatPhone);
  const filled = written.filter(Boolean).length;
  return {
    phoneNumber,
    phoneNumber2,
    email: firstFilled(delivery1.email, delivery2.email, own.email),
    email2: secondOf(delivery1.email, delivery2.email, own.email2, (email) => email.toLowerCase()),
    unusablePhones: filled - [phoneNumber, phoneNumber2].filter(Boolean).length,
  };
};

export const hasPhone = ({ phoneNumber, phoneNumber2 }: Reach): boolean => phoneNumber !== '' || phoneNumber2 !== '';

export const hasEmail = ({ email, email2 }: Reach): boolean => email !== '' || email2 !== '';

/** Whether the filters of a run include this subject. */
export const isWanted = (
  { reach, registeredUser }: Pick<EnrichedSubject, 'reach' | 'registeredUser'>,
  { contactFilter, registeredOnly }: { readonly contactFilter: ContactFilter; readonly registeredOnly: boolean },
): boolean => {
  if (registeredOnly && registeredUser === undefined) return false;
  if (contactFilter === 'any') return true;
  return contactFilter === 'phone-only' ? hasPhone(reach) : hasEmail(reach);
};

/** A subject's contacts, one per activity. */
export const contactsOf = (enriched: EnrichedSubject, accessCode: string, context: ContactContext): Contact[] => {
  const { subject, reach, registeredUser } = enriched;
  const { portal, job, jobName, consent, startedAt } = context;
  return enriched.activities.map((activity) => {
    const onSaleSince = readStarting(activity.starting)?.utc ?? startedAt;
    return {
      portal: portal.name,
      job_uuid: job.uuid,
      job_name: jobName,
      subject_uuid: subject.uuid,
      external_id: subject.externalId,
      first_name: subject.firstName,
      last_name: subject.lastName,
      parent_name: subject.parentName,
      phone_number: reach.phoneNumber,
      phone_number_2: reach.phoneNumber2,
      email: reach.email,
      email_2: reach.email2,
      country: subject.country,
      group: subject.group,
      buyer: enriched.buyer ? 'Yes' : 'No',
      access_code: accessCode,
      url: `${portal.origin}/gallery/${subject.uuid}`,
      custom_gallery_url: `${portal.origin}/?code=${encodeURIComponent(accessCode)}`,
      sms_marketing_consent: consent,
      sms_marketing_timestamp: onSaleSince,
      sms_transactional_consent: consent,
      sms_transactional_timestamp: onSaleSince,
      activity_uuid: activity.uuid,
      activity_name: activity.name,
      registered_user: registeredUser === undefined ? 'No' : 'Yes',
      registered_user_email: registeredUser?.email ?? '',
      registered_user_uuid: registeredUser?.userUuid ?? '',
      resolution_strategy: enriched.strategy,
    };
  });
};

/** These start with `+` by contract. */
const phoneColumns: readonly ContactColumn[] = ['phone_number', 'phone_number_2'];

/** The first line of the contacts file. */
export const contactsHeader = csvLine(contactColumns);

/** The contacts as lines of CSV, without the header. */
export const contactLines = (contacts: readonly Contact[]): string =>
  contacts
    .map((contact) =>
      csvLine(
        contactColumns.map((column) =>
          phoneColumns.includes(column) ? contact[column] : guardFormula(contact[column]),
        ),
      ),
    )
    .join('');

/** `contacts_<portal>_<audience>_<contact_filter>_YYYYMMDD_HHMMSS.csv`, in UTC. */
export const contactsFileName = (
  portal: Portal,
  filters: { readonly audience: Audience; readonly contactFilter: ContactFilter },
  startedAt: string,
): string => {
  return `contacts_${portal.name}_${filters.audience}_${filters.contactFilter}_${fileStamp(startedAt)}.csv`;
};

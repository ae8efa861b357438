import * as z from 'zod';
import { parseTime } from '../time';

/** Columns of the source query, in the order of the reports (docs/contracts/iterable.md). */
export const sourceColumns = [
  'id',
  'email',
  'first_name',
  'last_name',
  'plan_type',
  'candidate',
  'page',
  'device',
  'browser',
  'location',
  'event_time',
] as const;

export type SourceColumn = (typeof sourceColumns)[number];

/** A row as read from the database: every value as text, `event_time` in UTC. */
export type SourceRow = Readonly<Record<SourceColumn, string | null>>;

export const sourceRowSchema: z.ZodType<SourceRow> = z.record(z.enum(sourceColumns), z.string().nullable());

/** Builds a row from a driver's value of each column. */
export const toSourceRow = (textOf: (column: SourceColumn) => string | null): SourceRow => ({
  id: textOf('id'),
  email: textOf('email'),
  first_name: textOf('first_name'),
  last_name: textOf('last_name'),
  plan_type: textOf('plan_type'),
  candidate: textOf('candidate'),
  page: textOf('page'),
  device: textOf('device'),
  browser: textOf('browser'),
  location: textOf('location'),
  event_time: textOf('event_time'),
});

/** Profile field ← column. */
const profileFields = {
  first_name: 'first_name',
  last_name: 'last_name',
  plan_type: 'plan_type',
  candidate: 'candidate',
} as const satisfies Record<string, SourceColumn>;

/** Event field ← column. `browser` contains the device, as in the previous system. */
const eventFields = {
  page: 'page',
  location: 'location',
  candidate: 'candidate',
  browser: 'device',
} as const satisfies Record<string, SourceColumn>;

export const eventName = 'page_view';

type DataFields = Readonly<Record<string, string | boolean>>;

/** Body of `users/update`, and an item of `users/bulkUpdate`. */
export interface ProfileUpdate {
  readonly email: string;
  readonly dataFields: DataFields;
}

/** Body of `events/track`, and an item of `events/trackBulk`. */
export interface PageViewEvent {
  readonly eventName: typeof eventName;
  readonly email: string;
  /** The same view always has the same id, so that Iterable updates the event and does not count it again. */
  readonly id: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly dataFields: DataFields;
}

/** A row that can be sent: a user of the query with a page view, or a user who left the query. */
export interface IterableUser {
  readonly row: SourceRow;
  readonly email: string;
  /** Of the page view, in epoch seconds. Absent for a user who left the query: only the profile is updated. */
  readonly eventTime?: number | undefined;
}

/** A user with a page view. */
export interface Viewer extends IterableUser {
  readonly eventTime: number;
}

export const isViewer = (user: IterableUser): user is Viewer => user.eventTime !== undefined;

/** A row that cannot be sent. */
export interface RejectedRow {
  readonly row: SourceRow;
  /** Its faults, never a value. */
  readonly reason: string;
}

/** Epoch seconds of a time, in UTC if it has no offset. `undefined` if it is no instant, such as a day alone. */
const readEventTime = (text: string): number | undefined => {
  const time = parseTime(text.trim());
  return time && 'instant' in time ? Math.floor(time.instant.ms / 1_000) : undefined;
};

const formatSeconds = (epochSeconds: number): string =>
  new Date(epochSeconds * 1_000).toISOString().slice(0, 19).replace('T', ' ');

const word = String.raw`[^\s\p{Cc}()<>@,;:"\\.[\]]+`;
const label = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?`;
/**
 * What Iterable's check (Apache Commons Validator) accepts, except quoted names and IP addresses. Iterable checks the
 * top-level domain, and names those users in its response.
 */
const emailPattern = new RegExp(String.raw`^${word}(?:\.${word})*@(?:${label}\.)+(?!\p{N}+$)${label}$`, 'u');

const customerIdPattern = /^\d+$/;

/** Whether a text is a customer's id, as the database writes it. */
export const isCustomerId = (text: string): boolean => customerIdPattern.test(text);

/** Compares customer ids, which are whole numbers without leading zeros, like the database: by value. */
export const compareIds = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const sendable = z.object({
  id: z.string('no customer id').regex(customerIdPattern, 'the customer id is no number'),
  email: z
    .string('no e-mail')
    .trim()
    .min(1, 'no e-mail')
    .pipe(z.string().regex(emailPattern, 'the e-mail does not parse')),
  page: z.string('no page'),
  event_time: z.string('no event_time').transform((text, context) => {
    const eventTime = readEventTime(text);
    if (eventTime !== undefined) return eventTime;
    context.addIssue('event_time is unreadable');
    return z.NEVER;
  }),
});

/** A row that was read: one that can be sent, or not. */
export type ReadRow = { readonly user: Viewer } | { readonly rejected: RejectedRow };

/** Checks whether a row can be sent, and if not, why. */
export const readRow = (row: SourceRow): ReadRow => {
  const parsed = sendable.safeParse(row);
  if (parsed.success) return { user: { row, email: parsed.data.email, eventTime: parsed.data.event_time } };
  return { rejected: { row, reason: parsed.error.issues.map(({ message }) => message).join('; ') } };
};

/** The user of a row with only the id and the e-mail: `recent_page_view` is then set to false. */
export const readLeaver = (row: SourceRow): IterableUser | undefined => {
  const { data } = sendable.pick({ id: true, email: true }).safeParse(row);
  return data && { row, email: data.email };
};

const fieldsFrom = (row: SourceRow, fields: Readonly<Record<string, SourceColumn>>): Record<string, string> => {
  const filled: Record<string, string> = {};
  for (const [field, column] of Object.entries(fields)) {
    const value = row[column];
    if (value !== null) filled[field] = value;
  }
  return filled;
};

export const toProfile = (user: IterableUser): ProfileUpdate => ({
  email: user.email,
  dataFields: { ...fieldsFrom(user.row, profileFields), recent_page_view: isViewer(user) },
});

export const toEvent = ({ row, email, eventTime }: Viewer): PageViewEvent => ({
  eventName,
  email,
  id: `${eventName}:${row.id}:${row.page}:${eventTime}`,
  createdAt: eventTime,
  dataFields: { ...fieldsFrom(row, eventFields), timestamp: formatSeconds(eventTime) },
});

import * as z from 'zod';
import type { WriteName } from './iterable-schemas';

const profileSchema = z.object({ email: z.string(), dataFields: z.record(z.string(), z.unknown()).default({}) });
const eventSchema = z.object({
  email: z.string(),
  eventName: z.string(),
  id: z.string().optional(),
  createdAt: z.number().optional(),
  dataFields: z.record(z.string(), z.unknown()).default({}),
});

/** An item of a call that conforms to the Swagger file. */
export type Item = { readonly email?: string };

/** How an update of a user can fail: the list of `failedUpdates` that names the user, if any, and the response to a single call. */
interface Failing {
  readonly list: string | undefined;
  readonly status: number;
  readonly code: string;
}

const unknownUser: Failing = { list: 'notFoundEmails', status: 400, code: 'UnknownEmailError' };
const malformed: Failing = { list: 'invalidEmails', status: 400, code: 'InvalidEmailAddressError' };

/** The failure for a tag in an e-mail address, such as `maria+forgotten@example.com`. */
const failingByTag: Record<'users' | 'events', Record<string, Failing>> = {
  users: {
    invalid: malformed,
    forgotten: { list: 'forgottenEmails', status: 409, code: 'ForgottenUserError' },
    conflict: { list: 'conflictEmails', status: 409, code: 'EmailAlreadyExists' },
    invaliddata: { list: 'invalidDataEmails', status: 400, code: 'BadParams' },
    unnamed: { list: undefined, status: 400, code: 'GenericError' },
    newlist: { list: 'invalidPhoneEmails', status: 400, code: 'BadParams' },
  },
  events: { notfound: unknownUser, unnamedevent: { list: undefined, status: 400, code: 'GenericError' } },
};

/** A call with this tag is refused, even if only one item of a bulk call has it. */
const mismatchTag = 'mismatch';

/** An update with this tag is accepted, but not applied. */
const unappliedTag = 'unapplied';

const tagOf = (email: string): string => /\+(\w+)@/.exec(email)?.[1] ?? '';
const keyOf = (email: string): string => email.trim().toLowerCase();

interface User {
  readonly email: string;
  readonly data_fields: Record<string, unknown>;
  updates: number;
  readonly event_ids: string[];
}

interface KeptEvent {
  readonly id: string;
  readonly name: string;
  readonly created_at: number | undefined;
  readonly data_fields: Record<string, unknown>;
  readonly tracks: number;
}

/**
 * The users and events of an Iterable project.
 *
 * @param keep `counts` only counts what arrives: a million users then take no memory, and no user is unknown
 */
export const createIterableProject = (keep: 'everything' | 'counts') => {
  const users = new Map<string, User>();
  const events = new Map<string, KeptEvent>();
  const counts = { user_updates: 0, event_tracks: 0 };

  const update = (item: Item): void => {
    counts.user_updates += 1;
    if (keep === 'counts') return;
    const { email, dataFields } = profileSchema.parse(item);
    const user = users.get(keyOf(email)) ?? { email, data_fields: {}, updates: 0, event_ids: [] };
    if (tagOf(email) !== unappliedTag) Object.assign(user.data_fields, dataFields);
    user.updates += 1;
    users.set(keyOf(email), user);
  };

  const track = (item: Item): void => {
    counts.event_tracks += 1;
    if (keep === 'counts') return;
    const { email, eventName, id = `generated-${events.size}`, createdAt, dataFields } = eventSchema.parse(item);
    const known = events.get(id);
    if (known === undefined) users.get(keyOf(email))?.event_ids.push(id);
    events.set(id, {
      id,
      name: eventName,
      created_at: createdAt,
      data_fields: dataFields,
      tracks: (known?.tracks ?? 0) + 1,
    });
  };

  return {
    /** Whether a bulk call with this item is refused as a whole. */
    mismatches: ({ email = '' }: Item): boolean => tagOf(email) === mismatchTag,

    /** Accepts an item of a call, or returns how it fails. */
    take: (call: WriteName, item: Item): Failing | undefined => {
      const about = call.startsWith('users/') ? 'users' : 'events';
      const { email = '' } = item;
      if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) return malformed;
      const failing = failingByTag[about][tagOf(email)];
      if (failing !== undefined) return failing;
      if (about === 'events' && keep === 'everything' && !users.has(keyOf(email))) return unknownUser;
      if (about === 'users') update(item);
      else track(item);
      return undefined;
    },

    user: (email: string) => {
      const user = users.get(keyOf(email));
      if (user === undefined) return undefined;
      const { event_ids, ...profile } = user;
      return { ...profile, events: event_ids.flatMap((id) => events.get(id) ?? []) };
    },

    users: () =>
      Object.fromEntries(
        [...users.values()].map(({ email, updates, event_ids }) => [
          email,
          { updates, tracks: event_ids.map((id) => events.get(id)?.tracks ?? 0) },
        ]),
      ),

    totals: () => ({
      ...counts,
      ...(keep === 'everything' && {
        users: users.size,
        events: events.size,
        most_updates_of_a_user: most([...users.values()].map(({ updates }) => updates)),
        most_tracks_of_an_event: most([...events.values()].map(({ tracks }) => tracks)),
      }),
    }),

    forget: (): void => {
      users.clear();
      events.clear();
      Object.assign(counts, { user_updates: 0, event_tracks: 0 });
    },
  };
};

const most = (numbers: number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);

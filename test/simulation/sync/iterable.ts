import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import { callsPerSecond } from '../../../shared/iterable/limits';
import type { HttpReply, HttpRequest, Server } from '../connection';

type Fields = Readonly<Record<string, unknown>>;

interface Item {
  readonly email: string;
  readonly id?: string;
  readonly dataFields: Fields;
}

/** Our own limit of `users/getByEmail` is not one of Iterable's. */
const limits: Readonly<Record<string, number>> = {
  '/api/users/update': callsPerSecond.updateUser,
  '/api/users/bulkUpdate': callsPerSecond.updateUsers,
  '/api/events/track': callsPerSecond.trackEvent,
  '/api/events/trackBulk': callsPerSecond.trackEvents,
};

const ok = (body: unknown): HttpReply => ({ statusCode: 200, body: JSON.stringify(body) });
const single = ok({ code: 'Success', msg: '' });
const bulk = (count: number): HttpReply => ok({ successCount: count, failCount: 0, failedUpdates: {} });

/**
 * A project of Iterable: profiles, whose updates merge their fields, and the ids of tracked events.
 *
 * @param lateMs the time after which a profile that is read shows an update
 */
export const createIterable = (now: () => number, lateMs = 0) => {
  const profiles = new Map<string, Record<string, unknown>>();
  const updates = new Map<string, { readonly atMs: number; readonly dataFields: Fields }[]>();
  const events = new Set<string>();
  const calls = new Map(Object.entries(limits).map(([path, limit]) => [path, createSlidingSecond(() => limit)]));

  const update = ({ email, dataFields }: Item): void => {
    profiles.set(email, { ...profiles.get(email), ...dataFields });
    updates.set(email, [...(updates.get(email) ?? []), { atMs: now(), dataFields }]);
  };
  const visible = (email: string): Fields | undefined => {
    const applied = updates.get(email)?.filter(({ atMs }) => atMs + lateMs <= now()) ?? [];
    return applied.length === 0 ? undefined : Object.assign({}, ...applied.map(({ dataFields }) => dataFields));
  };
  const track = ({ email, id = '' }: Item): void => void events.add(`${email} ${id}`);

  const respond = ({ path, body }: HttpRequest): HttpReply => {
    const { pathname, searchParams } = new URL(path, 'https://iterable.example');
    if (pathname === '/api/users/getByEmail') {
      const email = searchParams.get('email') ?? '';
      const fields = visible(email);
      return ok(fields === undefined ? {} : { user: { email, dataFields: { email, ...fields } } });
    }
    const parsed = JSON.parse(body) as Item & { readonly users?: readonly Item[]; readonly events?: readonly Item[] };
    if (pathname === '/api/users/update') update(parsed);
    else if (pathname === '/api/events/track') track(parsed);
    else {
      for (const user of parsed.users ?? []) update(user);
      for (const event of parsed.events ?? []) track(event);
      return bulk((parsed.users ?? parsed.events ?? []).length);
    }
    return single;
  };

  return {
    /**
     * The server, as a run calls it.
     *
     * @param onSent called for each request, with the address of each user that it sends
     */
    serverFor: (onSent: (emails: readonly string[]) => void): Server => ({
      onSent: ({ path, body }) => {
        calls.get(path)?.take(now());
        if (body === '') return onSent([]);
        const parsed = JSON.parse(body) as Partial<Item> & { readonly users?: Item[]; readonly events?: Item[] };
        const items = parsed.users ?? parsed.events ?? [];
        onSent(parsed.email === undefined ? items.map(({ email }) => email) : [parsed.email]);
      },
      respond,
    }),
    profileOf: (email: string): Fields | undefined => profiles.get(email),
    hasEvent: (email: string, id: string): boolean => events.has(`${email} ${id}`),
    /** Each call with the maximum number in any second, and its limit. */
    mostCalls: () => [...calls].map(([path, { most }]) => ({ path, most: most(), limit: limits[path] ?? 0 })),
  };
};

export type Iterable = ReturnType<typeof createIterable>;

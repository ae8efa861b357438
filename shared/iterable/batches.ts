import { type IterableUser, toEvent, toProfile } from './rows';

/** What a bulk call takes at most (contracts: iterable.md). */
export const bulkLimits = { items: 1_000, bodyBytes: 4_000_000 } as const;

/** A user with the JSON of its two bulk items, of which the bodies are made. */
export interface BulkUser {
  readonly user: IterableUser;
  readonly profileJson: string;
  readonly eventJson: string;
}

/** The bodies of the two bulk calls. */
export const bulkBody = {
  updateUsers: (batch: readonly BulkUser[]): string =>
    `{"users":[${batch.map(({ profileJson }) => profileJson).join(',')}]}`,
  trackEvents: (batch: readonly BulkUser[]): string =>
    `{"events":[${batch.map(({ eventJson }) => eventJson).join(',')}]}`,
} as const;

const emptyBytes = { users: bulkBody.updateUsers([]).length, events: bulkBody.trackEvents([]).length };

/**
 * Cuts users into batches, in their order, each as large as both of its bodies allow. Only a user that is too large by
 * itself makes a batch above the limit, alone: Iterable then says what becomes of it.
 */
export async function* cutBatches(users: AsyncIterable<IterableUser>, limits = bulkLimits): AsyncGenerator<BulkUser[]> {
  let batch: BulkUser[] = [];
  let usersBytes = 0;
  let eventsBytes = 0;
  for await (const user of users) {
    const item = { user, profileJson: JSON.stringify(toProfile(user)), eventJson: JSON.stringify(toEvent(user)) };
    // With the comma before it.
    const profileBytes = Buffer.byteLength(item.profileJson) + 1;
    const eventBytes = Buffer.byteLength(item.eventJson) + 1;
    const full =
      batch.length >= limits.items ||
      usersBytes + profileBytes > limits.bodyBytes ||
      eventsBytes + eventBytes > limits.bodyBytes;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
    }
    if (batch.length === 0) {
      usersBytes = emptyBytes.users - 1;
      eventsBytes = emptyBytes.events - 1;
    }
    batch.push(item);
    usersBytes += profileBytes;
    eventsBytes += eventBytes;
  }
  if (batch.length > 0) yield batch;
}

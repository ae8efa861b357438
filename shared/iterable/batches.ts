import { type IterableUser, isViewer, toEvent, toProfile, type Viewer } from './rows';

/** Limits of a bulk call (docs/contracts/iterable.md). */
export const bulkLimits = { items: 1_000, bodyBytes: 4_000_000 } as const;

/** The bodies of the two bulk calls about a batch. */
export const bulkBody = {
  updateUsers: (batch: readonly IterableUser[]): string => JSON.stringify({ users: batch.map(toProfile) }),
  trackEvents: (batch: readonly Viewer[]): string => JSON.stringify({ events: batch.map(toEvent) }),
} as const;

const bodyBytes = { updateUsers: bulkBody.updateUsers([]).length, trackEvents: bulkBody.trackEvents([]).length };

/** Including the comma before it. */
const itemBytes = (item: object): number => Buffer.byteLength(JSON.stringify(item)) + 1;

/**
 * Cuts users into batches, in order, each as large as the limits of both bodies allow. A user who exceeds the limit
 * alone becomes a batch of one: Iterable decides about it.
 */
export async function* cutBatches<User extends IterableUser>(
  users: AsyncIterable<User>,
  limits: { readonly items: number; readonly bodyBytes: number } = bulkLimits,
): AsyncGenerator<User[]> {
  let batch: User[] = [];
  let bytes = { ...bodyBytes };
  for await (const user of users) {
    const updateBytes = itemBytes(toProfile(user));
    const trackBytes = isViewer(user) ? itemBytes(toEvent(user)) : 0;
    // Without the comma before the first item.
    const bytesWithUser = Math.max(bytes.updateUsers + updateBytes, bytes.trackEvents + trackBytes) - 1;
    if (batch.length > 0 && (batch.length >= limits.items || bytesWithUser > limits.bodyBytes)) {
      yield batch;
      batch = [];
      bytes = { ...bodyBytes };
    }
    batch.push(user);
    bytes.updateUsers += updateBytes;
    bytes.trackEvents += trackBytes;
  }
  if (batch.length > 0) yield batch;
}

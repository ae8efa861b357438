import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { PipelineError } from '../../shared/errors';
import { changedFields, type Digests, isSamePayload } from '../../shared/iterable/digests';
import { usersPerPart } from '../../shared/iterable/parts';
import {
  compareIds,
  type IterableUser,
  isCustomerId,
  type ReadRow,
  readLeaver,
  type SourceRow,
  sourceRowSchema,
  type Viewer,
} from '../../shared/iterable/rows';
import {
  createSentUsers,
  type ListedUser,
  type SentPosition,
  type SentReader,
  type SentUser,
  startOfSent,
} from '../../shared/iterable/sent-users';
import { type Compared, comparedSchema, type UserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';

/** Maximum number of changed users whose changed fields are reported. */
const maxSamples = 20;

/** How far the comparison is: what a later turn needs to continue it. */
export const comparingSchema = z.object({
  ...comparedSchema.omit({ list: true }).shape,
  position: z.object({ part: z.number(), line: z.number() }),
  /** The customer of the last row. */
  lastId: z.string(),
  /** Users of the new list. */
  users: z.number(),
  sentParts: z.number(),
  changedParts: z.number(),
  /** Rows for the next part to send, which is not full yet. */
  pending: z.array(sourceRowSchema),
  leaverParts: z.number().default(0),
  /** Users who left the query and are not in a part to send yet. */
  leaving: z.array(z.string()).default(() => []),
});
type Comparing = z.output<typeof comparingSchema>;

type Draft = { -readonly [Key in keyof Comparing]: Comparing[Key] } & { readonly list: ListedUser[] };

export interface ComparisonOptions {
  readonly parts: Pick<UserParts, 'writeChanged' | 'writeLeavers'>;
  /** The run's folder. */
  readonly folder: RunFolder;
  /** Folder of the run whose list is the base; absent if there is none. */
  readonly base: RunFolder | undefined;
  /** Customers about whom something else was sent since: what the base has of them is no longer true. */
  readonly stale?: ReadonlySet<string>;
  readonly digests: Digests;
  /** Sends unchanged users as well. */
  readonly full: boolean;
  /** Whether the query ended at its limit: later customers are then unknown, not removed. */
  readonly isLimited: boolean;
  /** The rows of customers who left the query; absent if nothing is sent about them. */
  readonly readLeavers?: ((ids: readonly string[]) => AsyncIterable<SourceRow>) | undefined;
}

/**
 * Merges the users of the query with those that earlier runs sent, both sorted by customer id, as a stream: memory holds
 * a part of each. Writes parts of the users to send, each full except the last, and the new list of sent users, as if
 * Iterable had acknowledged everything.
 */
export const createComparison = (options: ComparisonOptions) => {
  const { parts, folder, base, stale, digests, full, isLimited, readLeavers } = options;
  const sent = createSentUsers(folder);
  let reader: SentReader | undefined;

  /** Continues the reader of the part before. After an interruption, a new one starts at the position. */
  const readerAt = async (position: SentPosition): Promise<SentReader | undefined> => {
    if (base !== undefined && !isDeepStrictEqual(reader?.position(), position)) {
      reader = await createSentUsers(base).open(position, (id) => stale?.has(id) ?? false);
    }
    return reader;
  };

  /** Writes a part to send. Customers that no longer exist, or have no e-mail address, cannot be named to Iterable. */
  const writeLeavers = async (state: Comparing, ids: readonly string[]): Promise<void> => {
    const rows: SourceRow[] = [];
    for await (const row of readLeavers?.(ids) ?? []) if (readLeaver(row) !== undefined) rows.push(row);
    if (rows.length > 0) await parts.writeLeavers(state.leaverParts++, rows);
    state.clearing += rows.length;
    state.to_send += rows.length;
  };

  const leave = (state: Draft, { id }: SentUser): void => {
    state.removed += 1;
    if (readLeavers === undefined) return;
    state.list.push({ id, isLeaving: true });
    state.leaving.push(id);
  };

  /** Compares users, then adds a part to the new list and writes the parts to send that are full. */
  const step = async (
    before: Comparing,
    compare: (state: Draft, known: SentReader | undefined) => Promise<void>,
  ): Promise<Comparing> => {
    const known = await readerAt(before.position);
    const state: Draft = {
      ...before,
      samples: [...before.samples],
      pending: [...before.pending],
      leaving: [...before.leaving],
      list: [],
    };
    await compare(state, known);
    while (state.pending.length >= usersPerPart) {
      await parts.writeChanged(state.changedParts++, state.pending.splice(0, usersPerPart));
    }
    while (state.leaving.length >= usersPerPart) await writeLeavers(state, state.leaving.splice(0, usersPerPart));
    const { list, ...after } = state;
    if (list.length > 0) await sent.writePart(after.sentParts++, list);
    return {
      ...after,
      users: after.users + list.filter(({ isLeaving }) => !isLeaving).length,
      position: known?.position() ?? after.position,
    };
  };

  const send = (state: Draft, { row }: IterableUser): void => {
    state.to_send += 1;
    state.pending.push(row);
  };

  const compareUser = (state: Draft, id: string, user: Viewer, known: SentUser | undefined): void => {
    const ofPayloads = digests.ofPayloads(user);
    const before = known?.digest;
    if (before !== undefined && isSamePayload(before, ofPayloads)) {
      state.unchanged += 1;
      state.list.push({ id, digest: before });
      if (full) send(state, user);
      return;
    }
    const digest = digests.full(user, ofPayloads);
    if (known === undefined) state.added += 1;
    else {
      state.changed += 1;
      const fields = before === undefined ? [] : changedFields(before, digest);
      if (state.samples.length < maxSamples) state.samples.push({ id, fields });
    }
    state.list.push({ id, digest });
    send(state, user);
  };

  /** Takes the known users before a customer. Those users have left the query. */
  const leaveBefore = async (state: Draft, known: SentReader | undefined, id: string): Promise<void> => {
    for (let user = await known?.peek(); user && compareIds(user.id, id) < 0; user = await known?.peek()) {
      leave(state, user);
      known?.skip();
    }
  };

  return {
    begin: (): Comparing => ({
      added: 0,
      changed: 0,
      unchanged: 0,
      removed: 0,
      clearing: 0,
      to_send: 0,
      samples: [],
      position: startOfSent,
      lastId: '0',
      users: 0,
      sentParts: 0,
      changedParts: 0,
      pending: [],
      leaverParts: 0,
      leaving: [],
    }),

    /** Compares the rows of a part. */
    addRows: (before: Comparing, reads: readonly ReadRow[]): Promise<Comparing> =>
      step(before, async (state, known) => {
        for (const read of reads) {
          const { id } = 'user' in read ? read.user.row : read.rejected.row;
          if (id === null || !isCustomerId(id)) continue;
          if (compareIds(state.lastId, id) >= 0) {
            throw new PipelineError('BAD_PAYLOAD', 'The users are not sorted by customer id', { retryable: false });
          }
          state.lastId = id;
          await leaveBefore(state, known, id);
          const head = await known?.peek();
          const match = head?.id === id ? head : undefined;
          if (match) known?.skip();
          if ('user' in read) compareUser(state, id, read.user, match);
          else if (match) state.list.push({ id });
        }
      }),

    /**
     * Compares the known users after the last row, up to the end of a part of the base. They have left the query, or
     * are kept if the query ended at its limit.
     */
    addRest: (before: Comparing, part: number): Promise<Comparing> =>
      step(before, async (state, known) => {
        while (known !== undefined && known.position().part <= part) {
          const user = await known.peek();
          if (user === undefined || known.position().part > part) return;
          if (isLimited) state.list.push(user);
          else leave(state, user);
          known.skip();
        }
      }),

    /** Writes the last parts to send. */
    end: async (before: Comparing): Promise<Compared> => {
      const state = { ...before };
      if (state.pending.length > 0) await parts.writeChanged(state.changedParts, state.pending);
      if (state.leaving.length > 0) await writeLeavers(state, state.leaving);
      const { added, changed, unchanged, removed, clearing, to_send, samples, users, sentParts } = state;
      return {
        added,
        changed,
        unchanged,
        removed,
        clearing,
        to_send,
        samples,
        list: { users, parts: sentParts },
      };
    },
  };
};

export type Comparison = ReturnType<typeof createComparison>;

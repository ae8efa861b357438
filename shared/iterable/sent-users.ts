import type { RunFolder } from '../runs/artifacts';
import { compareIds } from './rows';

/** A user whom earlier runs sent. */
export interface SentUser {
  /** The customer's id. */
  readonly id: string;
  /** Of what Iterable acknowledged last; absent if the user must be sent again. */
  readonly digest?: string;
}

/** A line of a new list. */
export interface ListedUser extends SentUser {
  /** The user has left the query, and `recent_page_view` is set to false. Only if that fails, the user stays listed. */
  readonly isLeaving?: boolean;
}

/** How many users of the list were read. */
export interface SentPosition {
  readonly part: number;
  readonly line: number;
}

export const startOfSent: SentPosition = { part: 0, line: 0 };

const usersRoot = 'iterable/sent/users/';
const failedRoot = 'iterable/sent/failed/';
const sendAgain = 'again';
const leaving = 'leaving';

const lineOf = ({ id, digest = sendAgain, isLeaving = false }: ListedUser): string =>
  `${id} ${isLeaving ? leaving : digest}\n`;

const parseLine = (line: string): ListedUser => {
  const [id = '', digest = sendAgain] = line.split(' ');
  if (digest === leaving) return { id, isLeaving: true };
  return digest === sendAgain ? { id } : { id, digest };
};

/** Whether a part is of users who left the query, by its name. */
export const leaversPrefix = 'left-';
const isOfLeavers = (path: string): boolean => path.replace(/^.*\//, '').startsWith(leaversPrefix);

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Checks ascending ids against a sorted list of ids, which is in several objects. */
const createLookup = (folder: RunFolder, paths: readonly string[]) => {
  const ids = (async function* () {
    for (const path of paths) yield* linesOf((await folder.readText(path)) ?? '');
  })();
  let head: string | undefined;
  let isOpen = true;
  return async (id: string): Promise<boolean> => {
    while (isOpen && (head === undefined || compareIds(head, id) < 0)) {
      const { value, done } = await ids.next();
      head = done ? undefined : value;
      isOpen = !done;
    }
    return head === id;
  };
};

/**
 * The list of sent users of one run, in its folder: parts of lines with the id and the digest, sorted by id, as if
 * Iterable had acknowledged everything; and the ids of the users that failed.
 */
export const createSentUsers = (folder: RunFolder) => ({
  /** Writes a part; the same part again has the same content. */
  writePart: (position: number, users: readonly ListedUser[]): Promise<void> =>
    folder.put(`${usersRoot}${String(position).padStart(6, '0')}.txt`, users.map(lineOf).join('')),

  /** Writes which users of a part of results failed, in order. */
  writeFailed: (name: string, ids: readonly string[]): Promise<void> =>
    folder.put(`${failedRoot}${name}.txt`, ids.map((id) => `${id}\n`).join('')),

  countParts: async (): Promise<number> => (await folder.list(usersRoot)).size,

  /**
   * Reads the list from a position. Memory holds one part.
   *
   * @param isStale whether something else was sent about a customer since
   */
  open: async (from: SentPosition, isStale: (id: string) => boolean = () => false) => {
    const paths = [...(await folder.list(usersRoot))].sort();
    const failed = [...(await folder.list(failedRoot))].sort();
    // Each kind of part is sorted by id.
    const kinds = [failed.filter((path) => !isOfLeavers(path)), failed.filter(isOfLeavers)];
    const lookups = kinds.map((ofKind) => createLookup(folder, ofKind));
    const hasFailed = async (id: string): Promise<boolean> => {
      for (const lookup of lookups) if (await lookup(id)) return true;
      return false;
    };
    let { part, line } = from;
    let loaded: { readonly part: number; readonly lines: readonly string[] } | undefined;
    let head: SentUser | undefined;

    const load = async (): Promise<SentUser | undefined> => {
      while (part < paths.length) {
        if (loaded?.part !== part) {
          loaded = { part, lines: linesOf((await folder.readText(paths[part] ?? '')) ?? '') };
        }
        const text = loaded.lines[line];
        if (text === undefined) {
          part += 1;
          line = 0;
          continue;
        }
        const { isLeaving, ...user } = parseLine(text);
        if (isStale(user.id) || (await hasFailed(user.id))) return { id: user.id };
        if (!isLeaving) return user;
        line += 1;
      }
      return undefined;
    };

    return {
      /** Of the next user. */
      position: (): SentPosition => ({ part, line }),
      /** The next user, if there is one. */
      peek: async (): Promise<SentUser | undefined> => (head ??= await load()),
      /** Moves to the user after the one that was peeked at. */
      skip: (): void => {
        head = undefined;
        line += 1;
      },
    };
  },
});

export type SentReader = Awaited<ReturnType<ReturnType<typeof createSentUsers>['open']>>;

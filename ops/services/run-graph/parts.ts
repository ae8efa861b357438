import type { Turn } from './waterfall';

/** A part of a run's work, as its objects in the run's folder show it: a photo job, or up to 1,000 users. */
export interface WrittenPart {
  readonly name: string;
  /** Epoch ms from which it could be worked on. */
  readonly readyMs: number;
  /** The objects that closed it, the oldest first: its result, or the failure of an attempt at the run. */
  readonly closings: readonly { readonly atMs: number; readonly hasFailed: boolean }[];
}

/** `waiting`: not begun, or between two turns. */
export type PartStatus = 'waiting' | 'running' | 'done' | 'failed';

/** When a part was worked on. Between `readyMs` and its end, it waited for the rest of the time. */
export interface PartTimeline {
  readonly name: string;
  readonly status: PartStatus;
  /** Epoch ms. */
  readonly readyMs: number;
  /** At most one span in each turn, the oldest first. */
  readonly work: readonly Turn[];
}

/** S3 lists times in whole seconds. */
const listedMs = 1_000;

/**
 * Infers when each part was worked on. Only its end is stored; but a worker takes parts in their order, each as soon as
 * one of its slots is free, and leaves what is open at the end of its turn to the next one.
 *
 * @param parts in the order in which the worker takes them
 * @param turns of the worker, the oldest first
 * @param slots number of parts that the worker has in work at the same time
 */
export const partTimelines = (parts: readonly WrittenPart[], turns: readonly Turn[], slots: number): PartTimeline[] => {
  const turnOf = (atMs: number): number => {
    if (atMs + listedMs <= (turns[0]?.startedMs ?? 0)) return -1;
    const found = turns.findIndex(({ endedMs }) => endedMs === undefined || atMs <= endedMs);
    return found < 0 ? turns.length : found;
  };
  const timelines = parts.map((part) => ({
    part,
    closings: part.closings.map((closing) => ({ ...closing, turn: turnOf(closing.atMs) })),
    work: [] as Turn[],
  }));
  for (const [index, turn] of turns.entries()) {
    const leftMs = turn.endedMs ?? Number.POSITIVE_INFINITY;
    const free = new Array<number>(slots).fill(turn.startedMs);
    for (const { part, closings, work } of timelines) {
      const closing = closings.findLast((one) => one.turn === index);
      const isClosed = closing === undefined && closings.some((one) => one.turn < index);
      const slot = free.indexOf(Math.min(...free));
      const freeMs = Math.max(free[slot] ?? 0, part.readyMs);
      if (isClosed || (closing === undefined && freeMs >= leftMs)) continue;
      const span = closing === undefined ? openSpan(freeMs, turn) : closedSpan(freeMs, turn, closing);
      work.push(span);
      free[slot] = span.endedMs ?? Number.POSITIVE_INFINITY;
    }
  }
  return timelines.map(({ part: { name, readyMs, closings }, work }) => ({
    name,
    status: statusOf(closings.at(-1), work),
    readyMs,
    work,
  }));
};

const openSpan = (startedMs: number, { endedMs, end }: Turn): Turn => ({ startedMs, endedMs, end, error: undefined });

const closedSpan = (freeMs: number, turn: Turn, { atMs, hasFailed }: WrittenPart['closings'][number]): Turn => {
  const endedMs = Math.max(atMs, turn.startedMs);
  return {
    startedMs: Math.min(freeMs, endedMs),
    endedMs,
    end: hasFailed ? 'failed' : 'succeeded',
    error: undefined,
  };
};

const statusOf = (closing: WrittenPart['closings'][number] | undefined, work: readonly Turn[]): PartStatus => {
  if (closing !== undefined) return closing.hasFailed ? 'failed' : 'done';
  return work.some(({ endedMs }) => endedMs === undefined) ? 'running' : 'waiting';
};

const precedence: Readonly<Record<PartStatus, number>> = { failed: 0, running: 1, done: 2, waiting: 3 };
const workedMs = ({ work }: PartTimeline): number =>
  work.reduce((sum, { startedMs, endedMs = startedMs }) => sum + endedMs - startedMs, 0);

/** Sorts parts by what an operator looks for: those that failed, those in work, and then the slowest ones. */
export const sortByInterest = (parts: readonly PartTimeline[]): PartTimeline[] =>
  parts.toSorted((a, b) => precedence[a.status] - precedence[b.status] || workedMs(b) - workedMs(a));

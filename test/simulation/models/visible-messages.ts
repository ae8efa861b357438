import type { SimulatedWorld } from '../world';

/** A value that is due at a time. */
interface Due<T> {
  readonly atMs: number;
  readonly value: T;
}

/** Values ordered by their time: a binary heap. */
const createSchedule = <T>() => {
  const heap: Due<T>[] = [];
  const timeAt = (at: number): number => heap[at]?.atMs ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number): void => {
    const one = heap[a];
    const other = heap[b];
    if (one === undefined || other === undefined) return;
    heap[a] = other;
    heap[b] = one;
  };
  return {
    add: (atMs: number, value: T): void => {
      heap.push({ atMs, value });
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (timeAt(parent) <= timeAt(at)) return;
        swap(parent, at);
        at = parent;
      }
    },
    /** Removes the next value that is due. */
    take: (nowMs: number): Due<T> | undefined => {
      if (timeAt(0) > nowMs) return;
      swap(0, heap.length - 1);
      const due = heap.pop();
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        const child = timeAt(left + 1) < timeAt(left) ? left + 1 : left;
        if (timeAt(child) >= timeAt(at)) return due;
        swap(child, at);
        at = child;
      }
    },
  };
};

/** What decides when a message can be received. */
export interface Hideable {
  visibleAtMs: number;
}

/**
 * The order in which messages become visible and are received: roughly the order of their arrival, but any visible
 * message may be next. A message can be in it several times; only the entry of its present `visibleAtMs` counts.
 */
export const createVisibleMessages = <Message extends Hideable>(world: SimulatedWorld, reorderedShare: number) => {
  const hidden = createSchedule<Message>();
  let visible: Due<Message>[] = [];
  let first = 0;

  /** Moves one of the visible messages to the front. */
  const reorder = (): void => {
    if (world.random() >= reorderedShare) return;
    const chosen = first + Math.floor(world.random() * (visible.length - first));
    const one = visible[first];
    const other = visible[chosen];
    if (one === undefined || other === undefined) return;
    visible[first] = other;
    visible[chosen] = one;
  };

  return {
    /** Records the time from which a message is visible. */
    schedule: (message: Message): void => {
      const entry = { atMs: message.visibleAtMs, value: message };
      if (message.visibleAtMs <= world.now()) visible.push(entry);
      else hidden.add(entry.atMs, message);
    },

    /** Removes the next visible message. */
    take: (): Message | undefined => {
      for (let due = hidden.take(world.now()); due !== undefined; due = hidden.take(world.now())) visible.push(due);
      while (first < visible.length) {
        reorder();
        const entry = visible[first];
        first += 1;
        if (first > 1_000 && 2 * first > visible.length) {
          visible = visible.slice(first);
          first = 0;
        }
        if (entry !== undefined && entry.value.visibleAtMs === entry.atMs) return entry.value;
      }
      return;
    },
  };
};

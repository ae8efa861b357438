import { setImmediate as endOfTurn } from 'node:timers';
import { createRandom, type Random } from '../../samples/random';
import type { SimulatedWorld } from './world';

/** An event of the future. */
export interface Timer {
  readonly atMs: number;
  cancel(): void;
}

/** Virtual time, and all that happens in it. One seed always gives the same sequence of events. */
export interface Scheduler extends SimulatedWorld {
  readonly choose: Random;
  /** Calls `run` after `ms` of virtual time. Events of the same time have a random order. */
  readonly after: (ms: number, run: () => void) => Timer;
  /** Runs events until `untilMs`, or until `isOver` returns true. Then it is that time. */
  readonly run: (untilMs: number, isOver?: () => boolean) => Promise<void>;
  /** The number of events so far. */
  readonly events: () => number;
}

interface Event {
  readonly atMs: number;
  readonly tie: number;
  run: (() => void) | undefined;
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);

/** A binary heap, the next event first. */
const createHeap = () => {
  const events: Event[] = [];
  const at = (index: number): Event => events[index] as Event;
  const swap = (a: number, b: number): void => {
    const event = at(a);
    events[a] = at(b);
    events[b] = event;
  };
  return {
    first: (): Event | undefined => events[0],
    add: (event: Event): void => {
      let index = events.push(event) - 1;
      for (let parent = (index - 1) >> 1; index > 0 && isBefore(event, at(parent)); parent = (index - 1) >> 1) {
        swap(index, parent);
        index = parent;
      }
    },
    removeFirst: (): void => {
      const last = events.pop();
      if (last === undefined || events.length === 0) return;
      events[0] = last;
      for (let index = 0; ; ) {
        let next = index;
        for (const child of [2 * index + 1, 2 * index + 2]) {
          if (child < events.length && isBefore(at(child), at(next))) next = child;
        }
        if (next === index) return;
        swap(index, next);
        index = next;
      }
    },
  };
};

/** Runs all microtasks: nothing in the simulation waits for anything else. */
const drain = (): Promise<void> => new Promise((resolve) => void endOfTurn(resolve));

export const createScheduler = (seed: number, startMs: number): Scheduler => {
  const choose = createRandom(seed);
  const heap = createHeap();
  let nowMs = startMs;
  let count = 0;

  const after = (ms: number, run: () => void): Timer => {
    const event: Event = { atMs: nowMs + Math.max(0, ms), tie: choose.fraction(), run };
    heap.add(event);
    return {
      atMs: event.atMs,
      cancel: () => {
        event.run = undefined;
      },
    };
  };

  return {
    choose,
    now: () => nowMs,
    random: choose.fraction,
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    events: () => count,
    run: async (untilMs, isOver = () => false) => {
      // What was started outside an event may wait for its first one.
      await drain();
      for (let event = heap.first(); event !== undefined && event.atMs <= untilMs; event = heap.first()) {
        heap.removeFirst();
        if (event.run === undefined) continue;
        nowMs = event.atMs;
        count += 1;
        event.run();
        await drain();
        if (isOver()) return;
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
};

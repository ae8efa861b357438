import type { History, HistoryOptions } from './history';
import type { ListOf } from './shrink';

/** Webhooks of one history: a longer run has more histories, with the seeds that follow. */
const historySize = 500;

/**
 * The options of each history of a run.
 *
 * @param run its first seed, its webhooks over all histories, and the minutes of each of them
 */
export const historiesOf = ({ seed, webhooks, minutes }: HistoryOptions): readonly HistoryOptions[] =>
  Array.from({ length: Math.ceil(webhooks / historySize) }, (_, index) => ({
    seed: seed + index,
    webhooks: Math.min(historySize, webhooks - index * historySize),
    minutes,
  }));

/** The actions of a history. */
export const actions: ListOf<History> = {
  length: (history) => history.actions.length,
  without: (history, start, count) => ({ ...history, actions: history.actions.toSpliced(start, count) }),
};

/** The histories of a short run, which is part of `npm test`. */
export const shortRun: readonly HistoryOptions[] = [1, 2, 3].map((seed) => ({
  seed,
  webhooks: 200,
  minutes: 20,
}));

/** Histories that failed once, with what they found. */
export const corpus: readonly (HistoryOptions & { readonly found: string })[] = [
  {
    seed: 15,
    webhooks: 60,
    minutes: 15,
    isEarly: true,
    found: 'a stale event relied on a round whose message had never been sent',
  },
  {
    seed: 500_099,
    webhooks: 500,
    minutes: 30,
    isEarly: true,
    found: 'no list named an order whose newest round had no message',
  },
  {
    seed: 2_004,
    webhooks: 200,
    minutes: 30,
    found: 'a redriven message of an early release, without a time, was posted twice',
  },
  {
    seed: 1_000_187,
    webhooks: 500,
    minutes: 30,
    found: 'a repeated webhook was killed between its write and its message, about an order that no list named',
  },
  {
    seed: 1_000_579,
    webhooks: 500,
    minutes: 30,
    found: 'two messages of a round, of which one waited long for its response, were both posted',
  },
];

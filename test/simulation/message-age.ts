import * as z from 'zod/mini';
import type { QueuedMessage } from './models/queues';
import type { Violation } from './oracles';

const bodySchema = z.object({ order_id: z.string(), round: z.string() });

const minuteMs = 60_000;
/**
 * No round waits longer than this for one worker, with all its messages: five receives of a worker that is killed each
 * time (35 minutes), their waits (16 minutes), and again after the longest fault of a history (25 minutes).
 */
export const maxWaitMs = 90 * minuteMs;

export interface MessageAgeOptions {
  readonly now: () => number;
  /** The workers' queues, by URL. */
  readonly urls: readonly string[];
  readonly messages: (url: string) => readonly QueuedMessage[];
  readonly report: (violation: Violation) => void;
}

/** Watches how long each round waits in a queue: a message and the fresh copies that replace it count as one. */
export const createMessageAgeOracle = ({ now, urls, messages, report }: MessageAgeOptions) => {
  const names = new Map<string, string>();
  /** Of each queue: the rounds that wait in it, and since when. */
  let waiting = new Map<string, number>();
  const reported = new Set<string>();
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  const nameOf = ({ id, body }: QueuedMessage): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const { order_id: orderId, round } = bodySchema.parse(JSON.parse(body));
    names.set(id, `${orderId} ${round}`);
    return `${orderId} ${round}`;
  };

  return {
    /**
     * Looks at all messages, at most once a minute. A round that was away between two looks starts anew.
     */
    check: (): void => {
      if (now() < checkedAtMs + minuteMs) return;
      checkedAtMs = now();
      const still = new Map<string, number>();
      for (const url of urls) {
        for (const message of messages(url)) {
          const name = `${nameOf(message)} in ${url}`;
          const sinceMs = Math.min(still.get(name) ?? message.sentAtMs, waiting.get(name) ?? message.sentAtMs);
          still.set(name, sinceMs);
          if (now() - sinceMs <= maxWaitMs || reported.has(name)) continue;
          reported.add(name);
          report({ oracle: 'messages', about: `${name} for ${Math.round((now() - sinceMs) / minuteMs)} minutes` });
        }
      }
      waiting = still;
    },
  };
};

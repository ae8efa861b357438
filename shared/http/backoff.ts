/** Returns a number from 0 to below 1, as `Math.random` does. */
export type Random = () => number;

/** Full jitter: a random wait from 0 to `baseMs × factor^(attempt − 1)`, at most `capMs`. `attempt` counts from 1. */
export const fullJitterMs = (attempt: number, baseMs: number, capMs: number, random: Random, factor = 2): number =>
  Math.round(random() * Math.min(capMs, baseMs * factor ** (attempt - 1)));

/** How long a message stays hidden after a failed receive: 30 s, doubling up to 15 min, reduced by up to a fifth. */
export const redeliveryDelaySeconds = (receiveCount: number, random: Random): number =>
  Math.round(Math.min(900, 30 * 2 ** (receiveCount - 1)) * (1 - random() / 5));

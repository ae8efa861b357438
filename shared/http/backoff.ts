/** A number from 0 up to and without 1, as `Math.random` gives. */
export type Random = () => number;

/** Full jitter: anything from 0 to `base × factor^(attempt − 1)`, capped. `attempt` counts from 1. */
export const fullJitterMs = (attempt: number, baseMs: number, capMs: number, random: Random, factor = 2): number =>
  Math.round(random() * Math.min(capMs, baseMs * factor ** (attempt - 1)));

/** Seconds that a message stays hidden after its n-th failed receive: 30 s doubling to 15 min, less up to a fifth. */
export const redeliveryDelaySeconds = (receiveCount: number, random: Random): number =>
  Math.round(Math.min(900, 30 * 2 ** (receiveCount - 1)) * (1 - random() / 5));

/** Number of orders in the first wave. */
export const firstWave = 3;

/** The replay stops when a larger share of its orders has failed. */
export const failureShare = 0.1;

/** A single failure does not stop the replay: that order may be broken for good. */
const leastFailures = 2;

/** Limits the size of a wave to the orders that start within this time. */
const longestWaveSeconds = 60;

export interface RampOptions {
  /** Number of orders in the replay. */
  readonly total: number;
  readonly ratePerSecond: number;
}

/**
 * Decides when the next order of a replay can start. Pure: it only counts.
 *
 * Orders start in waves of 3, 6, 12, … A wave starts when nine tenths of the previous one have ended. The start rate is
 * limited as well. At any time, at most three orders plus a tenth of all orders have failed or are still in flight, so
 * at most that many fail before the replay stops.
 */
export const createRamp = ({ total, ratePerSecond }: RampOptions) => {
  const largestWave = Math.max(firstWave, ratePerSecond * longestWaveSeconds);
  const mostAtRisk = firstWave + Math.floor(total * failureShare);
  let waveSize = firstWave;
  let leftInWave = firstWave;
  let started = 0;
  let ended = 0;
  let failed = 0;
  let nextStartMs = Number.NEGATIVE_INFINITY;

  return {
    /** Milliseconds until the next order can start; undefined if another order must end first, or none is left. */
    startsInMs: (nowMs: number): number | undefined => {
      const atRisk = started - ended + failed;
      if (started === total || leftInWave === 0 || atRisk >= mostAtRisk) return undefined;
      return Math.max(0, nextStartMs - nowMs);
    },

    start: (nowMs: number): void => {
      started++;
      leftInWave--;
      nextStartMs = nowMs + 1_000 / ratePerSecond;
    },

    /** Records that an order has ended. One that could not be started counts as failed. */
    end: ({ isFailure }: { readonly isFailure: boolean }): void => {
      ended++;
      if (isFailure) failed++;
      if (leftInWave > 0 || started - ended > Math.floor(waveSize * failureShare)) return;
      waveSize = Math.min(2 * waveSize, largestWave);
      leftInWave = waveSize;
    },

    tooManyFailed: (): boolean => failed >= leastFailures && failed > ended * failureShare,
    isComplete: (): boolean => ended === total,
  };
};

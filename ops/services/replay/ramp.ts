/** Orders of the first wave. */
export const firstWave = 3;

/** A replay stops when a larger share of its orders fails. */
export const failureShare = 0.1;

/** One order that fails again is no reason to stop; it may be the one that cannot be helped. */
const leastFailures = 2;

/** A wave never has more orders than start in this time. */
const longestWaveSeconds = 60;

export interface RampOptions {
  /** All orders of the replay. */
  readonly total: number;
  readonly ratePerSecond: number;
}

/**
 * Decides when the next order of a replay may start. Pure: it only counts.
 *
 * Orders start in waves of 3, 6, 12, … A wave starts when nine tenths of the one before have ended, and never faster than
 * the rate. At no time have more than three orders and a tenth of all failed or not ended yet: whatever happens, no more
 * than these are lost before the replay stops.
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
    /** Milliseconds until the next order may start; `undefined` until another one has ended, or when none is left. */
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

    /** An order has ended, or could not be started, which is a failure too. */
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

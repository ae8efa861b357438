const secondMs = 1_000;

/** The calls that a portal received. Times are milliseconds since the simulator started. */
export interface ArrivalReport {
  readonly calls: number;
  /** Calls beyond the limit, refused with 429. */
  readonly refused: number;
  readonly first_ms: number | null;
  readonly last_ms: number | null;
  /** From the first call to the last. */
  readonly calls_per_second: number;
  /** Maximum in any sliding second. */
  readonly most_in_a_second: number;
  readonly arrivals_ms: number[];
}

/** The arrivals at one portal, and its limit. */
export const createArrivals = () => {
  let arrivalsMs: number[] = [];
  let admittedMs: number[] = [];
  let refused = 0;

  return {
    /** Counts a call. @returns whether it is within the limit of calls in any sliding second */
    admit: (limit: number): boolean => {
      const nowMs = performance.now();
      arrivalsMs.push(nowMs);
      while (admittedMs[0] !== undefined && nowMs - admittedMs[0] >= secondMs) admittedMs.shift();
      if (admittedMs.length >= limit) {
        refused += 1;
        return false;
      }
      admittedMs.push(nowMs);
      return true;
    },
    clear: () => {
      arrivalsMs = [];
      admittedMs = [];
      refused = 0;
    },
    report: (): ArrivalReport => {
      const [first, last] = [arrivalsMs[0], arrivalsMs.at(-1)];
      const spanMs = (last ?? 0) - (first ?? 0);
      return {
        calls: arrivalsMs.length,
        refused,
        first_ms: first ?? null,
        last_ms: last ?? null,
        calls_per_second: spanMs === 0 ? 0 : ((arrivalsMs.length - 1) * secondMs) / spanMs,
        most_in_a_second: mostInASecond(arrivalsMs),
        arrivals_ms: arrivalsMs,
      };
    },
  };
};

const mostInASecond = (timesMs: number[]): number => {
  let most = 0;
  let start = 0;
  timesMs.forEach((timeMs, index) => {
    while (timeMs - (timesMs[start] ?? timeMs) >= secondMs) start += 1;
    most = Math.max(most, index - start + 1);
  });
  return most;
};

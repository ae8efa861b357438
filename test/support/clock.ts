/** Timers that stay real: only the time of day is fake. */
const timers = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** A frozen clock, for `Date` and as `now`, that only `advance` moves. `jest.useRealTimers()` restores the real clock. */
export const freezeClock = (startMs = Date.parse('2026-01-01T00:00:00Z')) => {
  jest.useFakeTimers({ now: startMs, doNotFake: [...timers] });
  return {
    now: (): number => Date.now(),
    advance: (ms: number): void => {
      jest.setSystemTime(Date.now() + ms);
    },
  };
};

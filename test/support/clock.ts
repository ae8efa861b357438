/** All timers stay real. Only the time of day is fake. */
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

/** A frozen clock, for `Date` and as `now`, that `pass` advances. `jest.useRealTimers()` restores the real one. */
export const freezeClock = (startMs = Date.parse('2026-01-01T00:00:00Z')) => {
  jest.useFakeTimers({ now: startMs, doNotFake: [...timers] });
  return {
    now: (): number => Date.now(),
    pass: (ms: number): void => {
      jest.setSystemTime(Date.now() + ms);
    },
  };
};

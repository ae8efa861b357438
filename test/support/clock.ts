/** Every timer stays real: only the time of day is ours. */
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

/** A clock that stands still until told, for `Date` and as `now`. `jest.useRealTimers()` sets it going again. */
export const freezeClock = (startMs = Date.parse('2026-01-01T00:00:00Z')) => {
  jest.useFakeTimers({ now: startMs, doNotFake: [...timers] });
  return {
    now: (): number => Date.now(),
    pass: (ms: number): void => {
      jest.setSystemTime(Date.now() + ms);
    },
  };
};

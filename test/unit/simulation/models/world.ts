/** A world whose time and choices a test sets. */
export const createWorld = () => {
  let nowMs = Date.parse('2026-05-01T00:00:00Z');
  let choice = 0.999;
  return {
    now: () => nowMs,
    random: () => choice,
    sleep: async (ms: number): Promise<void> => {
      nowMs += ms;
    },
    /** Makes every choice of the world this number. */
    choose: (value: number): void => {
      choice = value;
    },
  };
};

/** What is left to a worker of its Lambda's time. */
export interface Budget {
  /** Whether it is time to store a cursor and to let another invocation go on. */
  isSpent(): boolean;
  /** Epoch ms; no call begins or is waited for that would not end before. */
  readonly deadlineMs: number;
}

/** Kept for what is under way when the budget is spent, and for the cursor. */
const handOverMs = 60_000;
/** Of the 60 s, kept for the last writes, whatever the calls before did. */
const lastWritesMs = 10_000;
const longestTurnMs = 10 * 60_000;

/** A worker's turn: it ends when 60 s of its Lambda's time are left, or after 10 minutes. */
export const createBudget = (remainingMs: number, now: () => number): Budget => {
  const startedAtMs = now();
  const endsAtMs = startedAtMs + Math.min(remainingMs - handOverMs, longestTurnMs);
  return { isSpent: () => now() >= endsAtMs, deadlineMs: startedAtMs + remainingMs - lastWritesMs };
};

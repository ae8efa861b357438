/** The part of its Lambda's time that a worker may use. */
export interface Budget {
  /** Whether to store a cursor and end the turn. */
  isSpent(): boolean;
  /** Epoch ms. No call starts, or is awaited, that would end later. */
  readonly deadlineMs: number;
}

/** Reserved for calls in flight when the budget is spent, and for the cursor. */
const handOverMs = 60_000;
/** Part of these 60 s, reserved for the last writes. */
const lastWritesMs = 10_000;
const maxTurnMs = 10 * 60_000;

/** The budget of a turn: it ends when 60 s of its Lambda's time are left, or after 10 minutes. */
export const createBudget = (remainingMs: number, now: () => number): Budget => {
  const startedAtMs = now();
  const endsAtMs = startedAtMs + Math.min(remainingMs - handOverMs, maxTurnMs);
  return { isSpent: () => now() >= endsAtMs, deadlineMs: startedAtMs + remainingMs - lastWritesMs };
};

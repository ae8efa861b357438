import { createBudget } from '../../../../shared/runs/budget';

const at = (remainingMs: number) => {
  let nowMs = 1_000_000;
  const budget = createBudget(remainingMs, () => nowMs);
  return {
    budget,
    isSpentAfter: (ms: number): boolean => {
      nowMs = 1_000_000 + ms;
      return budget.isSpent();
    },
  };
};

test('a turn ends when 60 s of the Lambda’s time are left', () => {
  const { isSpentAfter } = at(300_000);
  expect(isSpentAfter(239_999)).toBe(false);
  expect(isSpentAfter(240_000)).toBe(true);
});

test('a turn ends after 10 minutes, whatever time is left', () => {
  const { isSpentAfter } = at(900_000);
  expect(isSpentAfter(599_999)).toBe(false);
  expect(isSpentAfter(600_000)).toBe(true);
});

test('calls end in time for the last writes', () => {
  expect(at(900_000).budget.deadlineMs).toBe(1_890_000);
});

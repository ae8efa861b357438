import fc from 'fast-check';
import { roundSchema } from '../../../../shared/orders/order';
import { roundAfter, roundOfArrival, roundOfEvent } from '../../../../shared/orders/round';

const times = fc.integer({ min: 0, max: 8.64e15 });
const realistic = fc.integer({ min: 0, max: 999_999_999_999_999 });

test('a round of an event is always the same for the same time', () => {
  expect(roundOfEvent(1_767_225_600_000)).toBe('001767225600000-000000000000');
  expect(roundOfEvent(1_767_225_600_000)).toBe(roundOfEvent(1_767_225_600_000));
});

test('a round of an arrival is one of a kind', () => {
  const rounds = Array.from({ length: 100 }, () => roundOfArrival(1_767_225_600_000));
  expect(new Set(rounds).size).toBe(100);
  for (const round of rounds) expect(round).toMatch(/^001767225600000-[0-9a-f]{12}$/);
});

test('rounds sort by time', () => {
  fc.assert(
    fc.property(realistic, realistic, (a, b) => {
      const order = Math.sign(a - b);
      return order === 0 || (roundOfEvent(a) > roundOfEvent(b) ? 1 : -1) === order;
    }),
  );
});

test('a round after another is newer, whatever the clock says', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e14 }), realistic, (previousMs, nowMs) => {
      const previous = roundOfArrival(previousMs);
      return roundAfter(previous, nowMs) > previous;
    }),
  );
  expect(roundAfter(roundOfEvent(1_000), 5_000)).toMatch(/^000000000005000-/);
  expect(roundAfter(roundOfEvent(5_000), 1_000)).toMatch(/^000000000005001-/);
});

test.each([-1, -8.64e15, 0.5, 8.64e15])('a time of %p still gives a round', (ms) => {
  expect(roundSchema.safeParse(roundOfEvent(ms)).success).toBe(true);
});

test('every round is one by its schema', () => {
  fc.assert(
    fc.property(
      times,
      (ms) => roundSchema.safeParse(roundOfEvent(ms)).success && roundSchema.safeParse(roundOfArrival(ms)).success,
    ),
  );
});

import fc from 'fast-check';
import { roundSchema } from '../../../../shared/orders/order';
import { roundAfter, roundOfArrival, roundOfEvent, roundStartMs } from '../../../../shared/orders/round';
import { parseInstant } from '../../../../shared/time';

const realistic = fc.integer({ min: 0, max: 253_402_300_799_999 });
const at = (text: string) => parseInstant(text) ?? fail(text);
const fail = (text: string): never => {
  throw new Error(`${text} is not an instant`);
};
const eventAt = (ms: number) => roundOfEvent({ ms, subMsDigits: '', precisionMs: 1 }, 'order.updated');

test('the same notification always yields the same round', () => {
  const round = roundOfEvent(at('2026-01-01T00:00:00.5Z'), 'order.created');
  expect(round).toMatch(/^001767225600500-000000[0-9a-f]{6}$/);
  expect(roundOfEvent(at('2026-01-01T01:00:00.5+01:00'), 'order.created')).toBe(round);
});

test('events in the same millisecond sort by their sub-millisecond digits', () => {
  const [first, second] = ['123400', '123401'].map((digits) =>
    roundOfEvent(at(`2026-01-01T00:00:00.000${digits}Z`), 'order.updated'),
  );
  expect((first ?? '') < (second ?? '')).toBe(true);
});

test('events that differ only beyond nanoseconds get different rounds', () => {
  const base = '2026-01-01T00:00:00.000123456';
  expect(roundOfEvent(at(`${base}1Z`), 'order.updated')).not.toBe(roundOfEvent(at(`${base}2Z`), 'order.updated'));
});

test('two event types at the same time get different rounds', () => {
  const instant = at('2026-01-01T00:00:00Z');
  expect(roundOfEvent(instant, 'order.created')).not.toBe(roundOfEvent(instant, 'order.updated'));
});

test('every round that is timed by its arrival is unique', () => {
  const rounds = Array.from({ length: 100 }, () => roundOfArrival(1_767_225_600_000));
  expect(new Set(rounds).size).toBe(100);
  for (const round of rounds) expect(round).toMatch(/^001767225600000-[0-9a-f]{12}$/);
});

test('rounds sort by time', () => {
  fc.assert(
    fc.property(realistic, realistic, (a, b) => a === b || Math.sign(a - b) === (eventAt(a) > eventAt(b) ? 1 : -1)),
  );
});

test('property: roundAfter returns a newer round, even if the clock is behind', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e14 }), realistic, (previousMs, nowMs) => {
      const previous = roundOfArrival(previousMs);
      return roundAfter(previous, nowMs) > previous;
    }),
  );
  expect(roundStartMs(roundAfter(eventAt(1_000), 5_000))).toBe(5_000);
  expect(roundStartMs(roundAfter(eventAt(5_000), 1_000))).toBe(5_001);
});

test.each([-1, -8.64e15, 0.5, 8.64e15])('a time of %p ms gives a valid round', (ms) => {
  expect(roundSchema.safeParse(eventAt(ms)).success).toBe(true);
  expect(roundSchema.safeParse(roundOfArrival(ms)).success).toBe(true);
});

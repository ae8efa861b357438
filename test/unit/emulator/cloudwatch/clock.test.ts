import { createClock } from '../../../../emulator/cloudwatch/clock';

test('runs ahead of the real time, and leaves what happened before at its time', () => {
  let realMs = 1_000;
  const clock = createClock(() => realMs);
  expect(clock.now()).toBe(1_000);
  realMs = 2_000;
  clock.advance(60_000);
  clock.advance(60_000);
  realMs = 3_000;
  clock.advance(500);
  realMs = 4_000;
  expect(clock.now()).toBe(124_500);
  expect([500, 1_999, 2_000, 2_999, 3_000].map(clock.at)).toEqual([500, 1_999, 122_000, 122_999, 123_500]);
});

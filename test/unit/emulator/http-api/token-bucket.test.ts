import fc from 'fast-check';
import { createTokenBucket } from '../../../../emulator/http-api/token-bucket';

test('admits a burst, then its rate', () => {
  let nowMs = 0;
  const admit = createTokenBucket(10, 3, () => nowMs);
  const admitted = () => [admit(), admit(), admit(), admit()].filter(Boolean).length;
  expect(admitted()).toBe(3);
  nowMs += 100;
  expect(admitted()).toBe(1);
  nowMs += 60_000;
  expect(admitted()).toBe(3);
});

test('property: never admits more than burst and rate allow, and admits a full burst again after a pause', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 50 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), steps, (rate, burst, waitsMs) => {
      let nowMs = 0;
      const admit = createTokenBucket(rate, burst, () => nowMs);
      let admitted = 0;
      for (const waitMs of waitsMs) {
        nowMs += waitMs;
        if (admit()) admitted++;
        expect(admitted).toBeLessThanOrEqual(burst + (nowMs / 1_000) * rate + 1e-6);
      }
      nowMs += (burst / rate) * 1_000 + 1;
      expect(Array.from({ length: burst }, admit)).toEqual(Array(burst).fill(true));
    }),
  );
});

// NTP, or the wake-up of a laptop, can set the time of day back. That must not block requests.
test('does not depend on the time of day', () => {
  const timeOfDay = jest.spyOn(Date, 'now');
  const admit = createTokenBucket(1, 2);
  expect([admit(), admit(), admit()]).toEqual([true, true, false]);
  expect(timeOfDay).not.toHaveBeenCalled();
  timeOfDay.mockRestore();
});

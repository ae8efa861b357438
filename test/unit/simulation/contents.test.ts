import { createChangingContents, createContents, valuesBetween } from '../../simulation/sync/contents';

const place = { portal: 'nowandgen', kind: 'phone', job: 0, index: 1 } as const;
const content = {
  ...place,
  values: [
    { fromMs: 0, value: 0 },
    { fromMs: 100, value: 1 },
    { fromMs: 200, value: 0 },
  ],
};

describe('contents that change', () => {
  it.each([
    { fromMs: 10, toMs: 99, values: [0] },
    { fromMs: 50, toMs: 150, values: [1, 0] },
    { fromMs: 101, toMs: 150, values: [1] },
    { fromMs: 150, toMs: 250, values: [0, 1] },
    { fromMs: 201, toMs: 300, values: [0] },
  ])('have $values from $fromMs to $toMs', ({ fromMs, toMs, values }) => {
    expect(valuesBetween(content, fromMs, toMs)).toEqual(values);
  });

  it('have one value at a time', () => {
    let nowMs = 99;
    const contentAt = createContents([content], () => nowMs);
    expect(contentAt(place)).toBe(0);
    nowMs = 100;
    expect(contentAt(place)).toBe(1);
    nowMs = 200;
    expect(contentAt(place)).toBe(0);
    expect(contentAt({ ...place, index: 2 })).toBeUndefined();
  });

  it('are the same for the same seed, change in order of time, and lose no access key', () => {
    const portals = [{ name: 'nowandgen', jobs: 4, subjectsPerJob: 30 }];
    const make = (seed: number) => createChangingContents(seed, portals, [{ atMs: 1_000_000 }, { atMs: 9_000_000 }]);
    expect(make(5)).toEqual(make(5));
    for (const { kind, values } of Array.from({ length: 20 }, (_, seed) => make(seed)).flat()) {
      const times = values.map(({ fromMs }) => fromMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      if (kind === 'key') expect(values.map(({ value }) => value)).toEqual([0, 1]);
    }
  });
});

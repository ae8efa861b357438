import { type PartProgress, partsOf, renderProgress } from '../../../../ops/commands/run-progress';

const part = (name: string, done?: number, total?: number, rate?: number): PartProgress => ({
  name,
  counter:
    done === undefined
      ? undefined
      : { done, ...(total !== undefined && { total }), ...(rate !== undefined && { rate_per_second: rate }) },
});

test('bars are aligned', () => {
  const parts = [
    part('netlife/nowandforeverphoto', 21, 42, 3.21),
    part('netlife/legacyphoto', 7, 7, 1),
    part('iterable/extract', 1_000_000, undefined, 12_345.6),
    part('iterable/push'),
  ];
  expect(renderProgress(parts, 85)).toEqual([
    'netlife/nowandforeverphoto  ██████████░░░░░░░░░░░   50%   21 of 42  3.2/s     7s left',
    'netlife/legacyphoto         █████████████████████  100%     7 of 7            done',
    'iterable/extract            ░░░░░░░░░░░░░░░░░░░░░        1,000,000  12,346/s',
    'iterable/push               ░░░░░░░░░░░░░░░░░░░░░                             waiting',
  ]);
});

test.each([
  [120, 30],
  [50, 15],
  [40, 5],
  [39, 0],
  [20, 0],
  [undefined, 0],
])('in %p columns, a bar is %d characters wide, and no line is wider than the terminal', (columns, expected) => {
  const [line = ''] = renderProgress([part('push', 1, 4, 1)], columns);
  expect(line.length).toBeLessThanOrEqual(columns ?? 80);
  expect(line.replace(/[^█░]/g, '')).toHaveLength(expected);
});

test.each([
  ['nothing done', [0, 8], /^p {2}░{30} {2}0% {2}0 of 8$/],
  ['almost done', [999, 1000, 1], /^p {2}█{29}░ {2}99% {2}999 of 1,000 {2}1\.0\/s {2}1s left$/],
  ['nothing to do', [0, 0], /^p {2}█{30} {2}100% {2}0 of 0 {2}done$/],
  ['more than the total', [9, 8, 1], /^p {2}█{30} {2}100% {2}9 of 8 {2}done$/],
  ['no progress', [1, 8, 0], /^p {2}█{3}░{27} {2}12% {2}1 of 8$/],
  ['slow', [1, 8, 0.05], /3\.0\/min {2}2m 20s left$/],
  ['hours to go', [0, 9_000, 2], /2\.0\/s {2}1h 15m left$/],
] as const)('a bar is rendered for: %s', (_case, [done, total, rate], expected) => {
  expect(renderProgress([part('p', done, total, rate)], 100)[0]).toMatch(expected);
});

test('without counters there are no lines', () => {
  expect(renderProgress([], 80)).toEqual([]);
});

describe('the counters of a run', () => {
  const counter = { done: 1, updated_at: '' };
  const namesOf = (input: Record<string, unknown>, counters = {}) =>
    partsOf({ input, counters }).map(({ name, counter }) => [name, counter !== undefined]);

  it('are those of its input, whether they have begun or not', () => {
    const input = { netlife: { portals: ['b', 'a'] }, iterable: { days: 7 } };
    expect(namesOf(input, { 'netlife/a': counter, 'iterable/other': counter })).toEqual([
      ['netlife/b', false],
      ['netlife/a', true],
      ['iterable/extract', false],
      ['iterable/push', false],
      ['iterable/other', true],
    ]);
  });

  it.each([[{}], [{ netlife: { portals: 'all' } }]])(
    'are those that have begun if the input %j does not determine them',
    (input) => {
      expect(namesOf(input, { 'netlife/a': counter })).toEqual([['netlife/a', true]]);
    },
  );
});

import { actions, corpus, shortRun } from '../../simulation/histories';
import { createHistory, type History } from '../../simulation/history';
import { mutants } from '../../simulation/mutants';
import { mutate } from '../../simulation/mutation-run';
import { shrink } from '../../simulation/shrink';
import { simulate } from '../../simulation/simulate';
import { syncMutants } from '../../simulation/sync/mutants';

test.each(shortRun)('the order pipeline keeps its promises in the history of seed $seed', async (request) => {
  const { violations, posts } = await simulate(createHistory(request));
  expect(violations).toEqual([]);
  expect(posts).toBeGreaterThan(0);
});

test.each(corpus)('a history that once failed passes: seed $seed, $found', async (request) => {
  expect((await simulate(createHistory(request))).violations).toEqual([]);
});

test('the same seed gives the same trace, another seed another one', async () => {
  const hashOf = async (seed: number) =>
    (await simulate(createHistory({ seed, webhooks: 60, minutes: 10 }), { keepsTrace: true })).traceHash;
  const first = await hashOf(7);
  expect(await hashOf(7)).toBe(first);
  expect(await hashOf(8)).not.toBe(first);
});

test('a failing history is shrunk to the actions that make it fail', async () => {
  const history = createHistory({ seed: 1, webhooks: 100, minutes: 10 });
  const needed = [history.actions[17], history.actions[64]];
  const fails = async (candidate: History) => needed.every((one) => one && candidate.actions.includes(one));
  const shortest = await shrink(history, [actions], fails);
  expect(shortest).toEqual({ ...history, faultShare: 0, actions: needed });
});

test('each list of a history is shrunk', async () => {
  const listOf = (name: 'traps' | 'runs') => ({
    length: (history: Lists) => history[name].length,
    without: (history: Lists, start: number, count: number) => ({
      ...history,
      [name]: history[name].toSpliced(start, count),
    }),
  });
  interface Lists {
    readonly faultShare: number;
    readonly traps: readonly number[];
    readonly runs: readonly number[];
  }
  const history: Lists = { faultShare: 0, traps: [1, 2, 3], runs: [4, 5, 6, 7] };
  const fails = async ({ traps, runs }: Lists) => traps.includes(2) && runs.includes(7);
  expect(await shrink(history, [listOf('traps'), listOf('runs')], fails)).toEqual({
    faultShare: 0,
    traps: [2],
    runs: [7],
  });
});

test.each([...mutants, ...syncMutants])('the code still has the place of the mutant: $name', (mutant) => {
  expect(mutate(mutant)).toContain(mutant.replace);
});

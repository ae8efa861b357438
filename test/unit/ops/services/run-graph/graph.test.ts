import type { MachineShape } from '../../../../../ops/services/run-graph/definition';
import { runGraphOf } from '../../../../../ops/services/run-graph/graph';
import type { Visit } from '../../../../../ops/services/run-graph/visits';
import { waterfallOf } from '../../../../../ops/services/run-graph/waterfall';

const shape: MachineShape = {
  states: [
    { name: 'Portals', type: 'Map', parent: undefined },
    { name: 'Collect', type: 'Task', parent: 'Portals' },
    { name: 'Collected?', type: 'Choice', parent: 'Portals' },
    { name: 'Merge', type: 'Task', parent: 'Portals' },
    { name: 'Failed', type: 'Pass', parent: 'Portals' },
  ],
  transitions: [
    { from: 'Portals', to: 'Collect', kind: 'branch' },
    { from: 'Collect', to: 'Collected?', kind: 'next' },
    { from: 'Collect', to: 'Failed', kind: 'catch' },
    { from: 'Collected?', to: 'Collect', kind: 'choice' },
    { from: 'Collected?', to: 'Merge', kind: 'choice' },
  ],
};
const visit = (state: string, enteredMs: number, more: Partial<Visit> = {}): Visit => ({
  state,
  type: shape.states.find(({ name }) => name === state)?.type ?? '',
  enteredMs,
  leftMs: enteredMs + 10,
  end: 'succeeded',
  failures: 0,
  error: undefined,
  ...more,
});
const lasting: Partial<Visit> = { leftMs: undefined, end: undefined };
const caught: Partial<Visit> = { end: 'caught', failures: 1, error: 'BadLogin' };
const run = { portal: undefined, visits: [visit('Portals', 0, lasting)] };
const statesOf = (...portals: Visit[][]) => {
  const children = portals.map((visits, index) => ({ portal: `portal-${index}`, visits }));
  const { states, transitions } = runGraphOf(shape, [run, ...children]);
  const taken = transitions.filter(({ isTaken }) => isTaken).map(({ from, to }) => `${from} → ${to}`);
  return { states: Object.fromEntries(states.map((state) => [state.name, state])), taken };
};

test('counts a loop instead of repeating its states', () => {
  const { states, taken } = statesOf([
    ...[visit('Collect', 1), visit('Collected?', 11), visit('Collect', 12), visit('Collected?', 22)],
    visit('Merge', 23, lasting),
  ]);
  expect(states.Collect).toMatchObject({ status: 'succeeded', visits: 2, executions: 1, running: 0 });
  expect(states.Merge).toMatchObject({ status: 'running', visits: 1, running: 1 });
  expect(states.Failed).toMatchObject({ status: 'waiting', visits: 0 });
  expect(taken).toEqual([
    ...['Portals → Collect', 'Collect → Collected?', 'Collected? → Collect', 'Collected? → Merge'],
  ]);
});

test('counts the portals in a state, and shows the state of those that run first', () => {
  const done = [visit('Collect', 1), visit('Collected?', 11)];
  const { states, taken } = statesOf(done, [visit('Collect', 2, lasting)], [visit('Collect', 3, caught)]);
  expect(states.Collect).toMatchObject({
    status: 'running',
    visits: 3,
    executions: 3,
    running: 1,
    failures: 1,
    error: 'BadLogin',
  });
  // No portal has looped.
  expect(taken).toEqual(['Portals → Collect', 'Collect → Collected?']);
});

test('an error leads along the transition that catches it', () => {
  const { states, taken } = statesOf([visit('Collect', 1, caught), visit('Failed', 11)]);
  expect(states.Collect?.status).toBe('caught');
  expect(taken).toEqual(['Portals → Collect', 'Collect → Failed']);
});

test('the waterfall has a row for each state of a portal, and keeps the rows of a portal together', () => {
  const rows = waterfallOf([
    run,
    { portal: 'b', visits: [visit('Collect', 5), visit('Collected?', 15), visit('Collect', 16), visit('Merge', 40)] },
    { portal: 'a', visits: [visit('Collect', 6), visit('Merge', 20, lasting)] },
  ]);
  expect(rows.map(({ portal, state, turns }) => `${portal} ${state} ${turns.length}`)).toEqual([
    ...['b Collect 2', 'b Merge 1', 'a Collect 1', 'a Merge 1'],
  ]);
  expect(rows[3]?.turns).toEqual([{ startedMs: 20, endedMs: undefined, end: undefined, error: undefined }]);
});

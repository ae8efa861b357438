import { readDefinition } from '../../../../../ops/services/run-graph/definition';

const task = (more: object) => ({ Type: 'Task', Resource: 'arn', ...more });

/** Shortened, with the shape of SyncJobs. */
const definition = {
  StartAt: 'Plan',
  States: {
    Plan: task({ Next: 'Jobs' }),
    Jobs: {
      Type: 'Parallel',
      Next: 'Finish',
      Branches: [
        {
          StartAt: 'Portals',
          States: {
            Portals: {
              Type: 'Map',
              End: true,
              Catch: [{ ErrorEquals: ['States.ALL'], Next: 'NetlifeFailed' }],
              ItemProcessor: {
                StartAt: 'Collect',
                States: {
                  Collect: task({ Next: 'Collected?' }),
                  'Collected?': {
                    Type: 'Choice',
                    Choices: [{ Variable: '$.done', BooleanEquals: true, Next: 'Outcome' }],
                    Default: 'Collect',
                  },
                  Outcome: { Type: 'Pass', End: true },
                },
              },
            },
            NetlifeFailed: { Type: 'Pass', End: true },
          },
        },
      ],
    },
    Finish: task({ End: true }),
  },
};

test('reads the states with what contains them, and the transitions out of branches', () => {
  const { states, transitions } = readDefinition(JSON.stringify(definition));
  expect(states.map(({ name, type, parent }) => `${parent ?? ''}/${name} ${type}`)).toEqual([
    ...['/Plan Task', '/Jobs Parallel', 'Jobs/Portals Map', 'Portals/Collect Task', 'Portals/Collected? Choice'],
    ...['Portals/Outcome Pass', 'Jobs/NetlifeFailed Pass', '/Finish Task'],
  ]);
  expect(transitions.map(({ from, to, kind }) => `${from} ${kind} ${to}`)).toEqual([
    ...['Plan next Jobs', 'Jobs branch Portals', 'Portals catch NetlifeFailed', 'Portals branch Collect'],
    ...['Collect next Collected?', 'Collected? choice Outcome', 'Collected? choice Collect', 'Outcome end Finish'],
    'NetlifeFailed end Finish',
  ]);
});

test('refuses what is no definition', () => {
  expect(() => readDefinition('{"States":{}}')).toThrow('The definition of the state machine cannot be read.');
});

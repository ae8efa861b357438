import type { Application } from '../../../emulator/application';
import { readStateMachines } from '../../../emulator/step-functions/definition';

const lambda = 'arn:aws:lambda:us-east-1:000000000000:function:step';
const task = { Type: 'Task', Resource: lambda, End: true };

/** An application with one state machine. */
const applicationOf = (definition: object): Application => ({
  directory: '',
  outputs: {},
  resources: (_types, schema) => {
    const properties = schema.parse({ DefinitionString: JSON.stringify(definition), RoleArn: 'role' });
    const resource = { stackName: 's', logicalId: 'l', type: 't', properties: {}, constructId: 'c' };
    return [{ name: 'machine', resource, properties: properties as never }];
  },
});
const read = (state: object, more: object = {}) =>
  readStateMachines(applicationOf({ StartAt: 'A', States: { A: state }, ...more }));

test('finds tasks at any depth', () => {
  const inner = (name: string) => ({ StartAt: name, States: { [name]: task } });
  const map = { Type: 'Map', ItemProcessor: inner('C'), End: true };
  const parallel = { Type: 'Parallel', Branches: [inner('B'), { StartAt: 'M', States: { M: map } }], End: true };
  const [machine] = read(parallel);
  expect([...(machine?.tasks.keys() ?? [])]).toEqual(['B', 'C']);
});

test.each([
  ['JSONata', task, { QueryLanguage: 'JSONata' }, 'QueryLanguage is not supported'],
  ['JSONata in a state', { ...task, QueryLanguage: 'JSONata' }, {}, 'A: QueryLanguage is not supported'],
  ['variables', { ...task, Assign: { x: 1 } }, {}, 'A: Assign is not supported'],
  [
    'a distributed Map',
    {
      Type: 'Map',
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, StartAt: 'B', States: { B: task } },
      End: true,
    },
    {},
    'A: a distributed Map is not supported',
  ],
  [
    'a task token',
    { ...task, Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' },
    {},
    'A: only Lambda functions can be tasks here, without a task token',
  ],
  ['another service', { ...task, Resource: 'arn:aws:states:::sqs:sendMessage' }, {}, 'A: only Lambda functions'],
  [
    'a nested state',
    { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: { ...task, Assign: {} } } }], End: true },
    {},
    'A / B: Assign is not supported',
  ],
])('rejects %s when the definition is read', (_what, state, more, message) => {
  expect(() => read(state, more)).toThrow(message);
});

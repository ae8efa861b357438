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

const distributedMap = {
  Type: 'Map',
  Label: 'A',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: 'B',
    States: { B: { ...task, End: false, Next: 'C' }, C: { Type: 'Pass', End: true } },
  },
  End: true,
};

test('runs the items of a distributed Map in the same execution, without their states in its history', () => {
  const [machine] = read(distributedMap);
  expect(machine?.childStates).toEqual(
    new Map([
      ['B', 'A'],
      ['C', 'A'],
    ]),
  );
  expect(machine?.definition.States.A).toEqual({
    Type: 'Map',
    ItemProcessor: { ...distributedMap.ItemProcessor, ProcessorConfig: { Mode: 'INLINE' } },
    End: true,
  });
  expect(machine?.definitionText).toContain('DISTRIBUTED');
});

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
    'a distributed Map that reads its items from S3',
    { ...distributedMap, ItemReader: {} },
    {},
    'A: ItemReader is not supported',
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

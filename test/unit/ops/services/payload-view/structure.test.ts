import { changesBetween } from '../../../../../ops/services/payload-view/changes';
import { structureOf, valueAt } from '../../../../../ops/services/payload-view/structure';

const order = { id: 'QO-1', buyer: { name: 'Ann Example', 'e.mail': null }, lots: [1, true], none: [] };

test('lists types and lengths, and no values', () => {
  const nodes = structureOf(order);
  expect(nodes.map(({ depth, name, type, length }) => `${depth} ${name} ${type} ${length}`)).toEqual([
    ...['0  object 4', '1 id string 4', '1 buyer object 2', '2 name string 11', '2 e.mail null undefined'],
    ...['1 lots array 2', '2 0 number undefined', '2 1 boolean undefined', '1 none array 0'],
  ]);
  expect(JSON.stringify(nodes)).not.toContain('Ann');
});

test('cuts a document of many values', () => {
  expect(structureOf(Array.from({ length: 9_000 }, () => 0))).toHaveLength(5_000);
});

test.each([
  ['id', 'QO-1'],
  ['buyer.e.mail', null],
  ['lots.0', 1],
  ['lots.1', true],
  ['buyer', undefined],
  ['lots.2', undefined],
  ['id.length', undefined],
  ['constructor.name', undefined],
])('reads the one value at %s', (path, value) => {
  expect(valueAt(order, path)).toBe(value);
});

test('lists the fields that changed, and not how', () => {
  const after = { id: 'QO-1', buyer: { name: 'Bob Example', phone: '555' }, lots: [1, 'true'], none: [] };
  expect(changesBetween(order, after)).toEqual([
    { path: 'buyer.e.mail', change: 'removed', before: { type: 'null', length: undefined }, after: undefined },
    ...[
      {
        path: 'buyer.name',
        change: 'changed',
        before: { type: 'string', length: 11 },
        after: { type: 'string', length: 11 },
      },
    ],
    { path: 'buyer.phone', change: 'added', before: undefined, after: { type: 'string', length: 3 } },
    {
      path: 'lots.1',
      change: 'changed',
      before: { type: 'boolean', length: undefined },
      after: { type: 'string', length: 4 },
    },
  ]);
  expect(changesBetween(order, structuredClone(order))).toEqual([]);
});

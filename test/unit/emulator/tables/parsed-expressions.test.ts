import conditionParser from 'dynalite/db/conditionParser';
import updateParser, { type ExpressionContext, type ExpressionParser } from 'dynalite/db/updateParser';
import { cached } from '../../../../emulator/tables/parsed-expressions';

/** Functions that dynalite passes besides. */
const dynaliteFunctions = { isReserved: () => false, compare: () => false };

/** A request with every name and value still unused. */
const contextOf = (attrNames: Record<string, string>, attrVals: Record<string, object>): ExpressionContext => ({
  attrNames,
  attrVals,
  unusedAttrNames: Object.fromEntries(Object.keys(attrNames).map((name) => [name, true])),
  unusedAttrVals: Object.fromEntries(Object.keys(attrVals).map((name) => [name, true])),
  ...dynaliteFunctions,
});

/** The parser with a cache, and the number of expressions that it parsed. */
const counted = (parser: ExpressionParser) => {
  const parse = jest.fn(parser.parse);
  return { parse, cachedParse: cached(parse) };
};

test.each<[string, ExpressionParser, string, Record<string, string>]>([
  [
    'an update',
    updateParser,
    'SET #a = :a, #b.#c = if_not_exists(#b.#c, :b), #d = #d + :c REMOVE #e[0]',
    { '#a': 'a', '#b': 'constructor', '#c': 'c', '#d': 'd', '#e': 'e' },
  ],
  [
    'a condition',
    conditionParser,
    'attribute_not_exists(#a) OR (#b IN (:a, :b) AND NOT size(#c.#b) > :c)',
    { '#a': 'a', '#b': 'b', '#c': '__proto__' },
  ],
])('%s is parsed once, and every result has its own values', (_what, parser, expression, names) => {
  const { parse, cachedParse } = counted(parser);
  for (const index of [0, 1, 2]) {
    const values = { ':a': { S: `a${index}` }, ':b': { S: `b${index}` }, ':c': { N: `${index}` } };
    const context = contextOf({ ...names, '#unused': 'x' }, { ...values, ':unused': { S: '' } });
    const result = cachedParse(expression, { context });
    const expected = parser.parse(expression, { context: contextOf({ ...names, '#unused': 'x' }, values) });
    expect(result).toEqual(expected);
    expect([context.unusedAttrNames, context.unusedAttrVals]).toEqual([{ '#unused': true }, { ':unused': true }]);
  }
  expect(parse).toHaveBeenCalledTimes(1);
});

test('a change of a result does not change later results', () => {
  const { cachedParse } = counted(updateParser);
  const parse = () =>
    cachedParse('SET #a = list_append(#a, :a)', { context: contextOf({ '#a': 'a' }, { ':a': { L: [] } }) });
  const first = parse();
  if (typeof first !== 'object' || first === null) throw new Error('There is no result');
  Reflect.set(first, 'sections', undefined);
  expect(parse()).toMatchObject({ sections: [{ val: { args: [['a'], { L: [] }] } }] });
});

test('the same expression with other names or types is parsed again', () => {
  const { parse, cachedParse } = counted(conditionParser);
  const begins = (name: string, value: object) =>
    cachedParse('begins_with(#a, :a)', { context: contextOf({ '#a': name }, { ':a': value }) });
  expect(begins('a', { S: 'x' })).toMatchObject({ expression: { args: [['a'], { S: 'x' }] } });
  expect(begins('b', { S: 'x' })).toMatchObject({ expression: { args: [['b'], { S: 'x' }] } });
  expect(begins('a', { N: '1' })).toContain('Incorrect operand type');
  expect(parse).toHaveBeenCalledTimes(3);
});

test('an expression whose check depends on the content of its values is always parsed', () => {
  const { parse, cachedParse } = counted(conditionParser);
  const isType = (type: string) =>
    cachedParse('attribute_type(#a, :a)', {
      context: contextOf({ '#a': 'a' }, { ':a': { S: type } }),
    });
  expect(isType('S')).toMatchObject({ expression: { name: 'attribute_type' } });
  expect(isType('x')).toContain('Invalid attribute type name found; type: x');
  expect(parse).toHaveBeenCalledTimes(2);
});

test('the cache starts again when it is full', () => {
  const { parse, cachedParse } = counted(conditionParser);
  const parseNumber = (index: number) =>
    cachedParse('#a = :a', { context: contextOf({ '#a': `a${index}` }, { ':a': { S: '' } }) });
  for (let index = 0; index <= 500; index += 1) parseNumber(index);
  parseNumber(500);
  parseNumber(0);
  expect(parse).toHaveBeenCalledTimes(502);
});

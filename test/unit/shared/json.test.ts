import fc from 'fast-check';
import { parseJson, parseJsonAsWritten } from '../../../shared/json';

test.each([
  ['{"a":1}', { a: 1 }],
  [' [1] ', [1]],
  ['null', null],
  ['"ü"', 'ü'],
])('parses %s, as text and as bytes', (source, value) => {
  expect(parseJson(source)).toEqual(value);
  expect(parseJson(Buffer.from(source))).toEqual(value);
});

test.each([
  ['an empty text', ''],
  ['a truncated object', '{"a":'],
  ['an HTML page', '<html></html>'],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('gives undefined for %s', (_, source) => {
  expect(parseJson(source)).toBeUndefined();
});

describe('as written', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['123456789012345678901234', '123456789012345678901234'],
    ['12.50', '12.50'],
    ['2134.0', '2134.0'],
    ['1e3', '1e3'],
    ['1E+400', '1E+400'],
    ['-0', '-0'],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', '9007199254740992'],
    ['999999999999999', 999_999_999_999_999],
    ['0', 0],
    ['-15', -15],
    ['-1.5', '-1.5'],
    ['1e+21', '1e+21'],
    ['"12.50"', '12.50'],
    ['"\\"12.50"', '"12.50'],
    ['"\\\\"', '\\'],
    ['["\\\\",12.50,"\\\\\\"",1.0]', ['\\', '12.50', '\\"', '1.0']],
    ['{"1.0":1.0,"a":{"b":[1.0,null]}}', { '1.0': '1.0', a: { b: ['1.0', null] } }],
    ['{"a":1.0,"a":2.0}', { a: '2.0' }],
    ['\t-1.0 ', '-1.0'],
  ])('%s is read as %j', (source, value) => {
    expect(parseJsonAsWritten(source)).toEqual(value);
    expect(parseJsonAsWritten(Buffer.from(source))).toEqual(value);
  });

  test.each(['', '{"a":', '01', '1.', '.5', '-', '+1', '1e', '{1.0:1}', '[1.0 2.0]', '"1.0', '1.0"'])(
    '%j is not JSON',
    (source) => {
      expect(parseJsonAsWritten(source)).toBeUndefined();
    },
  );

  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 60 });
  const integer = fc
    .tuple(fc.constantFrom('', '-'), fc.constantFrom(...'123456789'), digits)
    .map((parts) => parts.join(''));

  test('property: an integer of any length keeps its digits', () => {
    fc.assert(
      fc.property(integer, (written) => {
        expect(String(parseJsonAsWritten(written))).toBe(written);
        expect(parseJsonAsWritten(`{"a":[${written}]}`)).toEqual({ a: [parseJsonAsWritten(written)] });
      }),
    );
  });

  test('property: any other number keeps its digits', () => {
    const number = fc
      .tuple(integer, fc.option(digits), fc.option(fc.integer({ min: -500, max: 500 })))
      .map(
        ([whole, fraction, exponent]) => `${whole}${fraction ? `.${fraction}` : ''}${exponent ? `e${exponent}` : ''}`,
      );
    fc.assert(fc.property(number, (written) => String(parseJsonAsWritten(written)) === written));
  });

  test('property: anything else equals the result of JSON.parse', () => {
    const withoutNumbers = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (_key, entry) => (typeof entry === 'number' ? String(entry) : entry));
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const parsed = parseJsonAsWritten(JSON.stringify(value, null, indent));
        expect(withoutNumbers(parsed)).toEqual(withoutNumbers(value));
      }),
      { numRuns: 500 },
    );
  });

  test('deep nesting and long strings are read in linear time', () => {
    const depth = 100_000;
    expect(parseJsonAsWritten(`${'['.repeat(depth)}1.0${']'.repeat(depth)}`)).toBeDefined();
    expect(parseJsonAsWritten(`"${'\\\\'.repeat(1_000_000)}"`)).toBe('\\'.repeat(1_000_000));
  });
});

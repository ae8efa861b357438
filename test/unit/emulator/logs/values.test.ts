import { compare, compareForSort, type Value } from '../../../../emulator/logs/insights/values';

const digits = '123456789012345678901234';

describe('compare', () => {
  test.each<[Value, Value, number]>([
    ['10', '9', 1],
    ['1.0', '1', 0],
    [10, '9', 1],
    ['b', 'a', 1],
    ['a', '1', 1],
    // More digits than a number can represent, or not a number.
    [digits, digits, 0],
    [digits, digits.replace(/4$/, '5'), -1],
    ['1e999', '1e999', 0],
    ['1e999', '2e999', -1],
    ['1e999', '5', -1],
    ['NaN', 'NaN', 0],
    ['NaN', '1', 1],
    [Number.NaN, 1, 1],
  ])('%p with %p: %p', (a, b, sign) => {
    expect(Math.sign(compare(a, b) ?? Number.NaN)).toBe(sign);
    expect(Math.sign(compare(b, a) ?? Number.NaN)).toBe(sign === 0 ? 0 : -sign);
  });

  test('returns undefined for missing values', () => {
    expect(compare(undefined, 1)).toBeUndefined();
    expect(compare('', undefined)).toBeUndefined();
  });
});

test('sorts texts before numbers, and numbers by size, long ones by their digits', () => {
  const sorted = ['1e999', 'x', '2', '10', digits, digits.replace(/4$/, '5')];
  expect([...sorted].reverse().sort((a, b) => compareForSort(a, b, 1))).toEqual(sorted);
});

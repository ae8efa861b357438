import fc from 'fast-check';
import { csvLine, guardFormula } from '../../../shared/csv';

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM', "'@SUM"],
  ['\tx', "'\tx"],
  ['\rx', "'\rx"],
  ['\nx', "'\nx"],
  ['a=1', 'a=1'],
  ['', ''],
  ["'=1", "'=1"],
  [' a', ' a'],
  [' ', ' '],
  ['Anne-Marie', 'Anne-Marie'],
])('the cell %j becomes %j', (cell, guarded) => {
  expect(guardFormula(cell)).toBe(guarded);
});

/** Characters that an importer may trim, and invisible ones. */
const invisible = [
  ...['\n', '\r\n', ' ', '\t', '\v', '\f', '\0', '\u0085', '\u00a0', '\u1680', '\u2003', '\u2028', '\u202f', '\u3000'],
  ...['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u200e', '\u202e', '\u180e', '\u3164', '\ufe0f'],
];
const signs = ['=', '+', '-', '@', '\uff1d', '\uff0b', '\uff0d', '\uff20', '\ufe66', '\ufe62', '\ufe63', '\ufe6b'];

test('property: a sign after invisible characters is guarded, and a word is not', () => {
  const before = fc.array(fc.constantFrom(...invisible), { maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(before, fc.constantFrom(...signs), fc.string(), (start, sign, rest) => {
      const cell = start + sign + rest;
      expect(guardFormula(cell)).toBe(`'${cell}`);
      if (!/^[\t\r\n]/.test(start)) expect(guardFormula(`${start}a${sign}`)).toBe(`${start}a${sign}`);
    }),
  );
});

test('takes linear time', () => {
  const cell = ' '.repeat(2_000_000);
  expect(guardFormula(cell)).toBe(cell);
});

test('quotes cells where needed, and ends the line with LF', () => {
  expect(csvLine(['a', 'b,c', 'd"e', 'f\ng', 'h\ri', '', ' j '])).toBe('a,"b,c","d""e","f\ng","h\ri",, j \n');
});

test('quotes cells that a program would split at semicolons or tabs', () => {
  expect(csvLine(['x;=1+1', 'a\t=1+1'])).toBe('"x;=1+1","a\t=1+1"\n');
});

import { csvLine, guardFormula } from '../../../shared/csv';

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM', "'@SUM"],
  ['\tx', "'\tx"],
  ['\rx', "'\rx"],
  ['a=1', 'a=1'],
  ['', ''],
  ["'=1", "'=1"],
])('a cell %j is made harmless as %j', (cell, harmless) => {
  expect(guardFormula(cell)).toBe(harmless);
});

test('quotes the cells that need it, and ends the line with LF', () => {
  expect(csvLine(['a', 'b,c', 'd"e', 'f\ng', 'h\ri', '', ' j '])).toBe('a,"b,c","d""e","f\ng","h\ri",, j \n');
});

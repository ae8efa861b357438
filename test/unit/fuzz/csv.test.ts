import { csvFaults, readCsv } from '../../fuzz/csv';

test('cells can be quoted', () => {
  expect(readCsv('a,b\n"1,""2""\n",\n')).toEqual([
    ['a', 'b'],
    ['1,"2"\n', ''],
  ]);
});

test.each([
  ['valid CSV', 'a,b\n1,2\n', []],
  ['a phone number', 'a,b\n+1 (555) 012-3987,+447700900123\n', []],
  ['a quote in a bare cell', 'a,b\n1"2,3\n', ['it is not CSV']],
  ['a quote that is not closed', 'a,b\n"1,2\n', ['it is not CSV']],
  ['text after a quoted cell', 'a,b\n"1"2,3\n', ['it is not CSV']],
  ['a bare CR', 'a,b\n1\r,2\n', ['it is not CSV']],
  ['a truncated last row', 'a,b\n1,2', ['it is not CSV']],
  ['an extra cell', 'a,b\n1,2,3\n', ['the length of a row differs from the header']],
  ['a formula', 'a,b\n1,=1+1\n', ['a cell would run as a formula']],
  ['a formula after a no-break space', 'a,b\n1,\u00a0=1+1\n', ['a cell would run as a formula']],
  ['a formula with a full-width sign', 'a,b\n1,\uff1d1+1\n', ['a cell would run as a formula']],
  ['a formula that begins like a phone number', 'a,b\n1,+1 (555) 012-3987-A1\n', ['a cell would run as a formula']],
  ['a formula of digits', 'a,b\n1,+1234567890\n', ['a cell would run as a formula']],
])('%s: %j has the faults %j', (_what, text, faults) => {
  expect(csvFaults(text)).toEqual(faults);
});

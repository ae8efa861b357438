import { parseJson } from '../../../shared/json';

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
  ['nothing', ''],
  ['a cut-off object', '{"a":'],
  ['a page', '<html></html>'],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('gives undefined for %s', (_, source) => {
  expect(parseJson(source)).toBeUndefined();
});

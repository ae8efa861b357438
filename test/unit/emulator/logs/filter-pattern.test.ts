import fc from 'fast-check';
import { compileFilterPattern } from '../../../../emulator/logs/filter-pattern';

const text = 'ERROR [api] order QO-1 failed: 503 "Service Unavailable"';
const line = JSON.stringify({
  level: 'ERROR',
  order_id: 'QO-1',
  status_code: 503,
  again: true,
  nothing: null,
  error: { name: 'HttpError', causes: [{ code: 'ECONNRESET' }] },
  'dotted.name': 'x',
});

test.each<[string, string, boolean]>([
  ['', text, true],
  ['  ', line, true],
  ['ERROR', text, true],
  ['error', text, false],
  ['ERROR QO-1', text, true],
  ['ERROR QO-2', text, false],
  ['"order QO-1"', text, true],
  ['"QO-1 order"', text, false],
  ['"\\"Service Unavailable\\""', text, true],
  ['ERROR -QO-1', text, false],
  ['ERROR -QO-2', text, true],
  ['-"order QO-1"', text, false],
  ['?WARN ?ERROR', text, true],
  ['?WARN ?INFO', text, false],
  ['ERROR ?WARN', text, true],
  ['%QO-\\d+ failed%', text, true],
  ['%QO-\\d+ done%', text, false],
  ['-%5\\d\\d%', text, false],
  ['{ $.level = "ERROR" }', line, true],
  ['{$.level=ERROR}', line, true],
  ['{ $.level = "WARN" }', line, false],
  ['{ $.level != "WARN" }', line, true],
  ['{ $.level = "ERR*" }', line, true],
  ['{ $.level = ERR* }', line, true],
  ['{ $.level = %^ERR% }', line, true],
  ['{ $.missing = "x" }', line, false],
  ['{ $.missing != "x" }', line, false],
  ['{ $.status_code = 503 }', line, true],
  ['{ $.status_code = 503.0 }', line, true],
  ['{ $.status_code = 5* }', line, true],
  ['{ $.status_code >= 500 && $.status_code < 504 }', line, true],
  ['{ $.status_code > 503 || $.status_code <= 502 }', line, false],
  ['{ ($.status_code > 503 || $.level = "ERROR") && $.order_id = "QO-1" }', line, true],
  ['{ $.level = "WARN" && $.level = "WARN" || $.order_id = "QO-1" }', line, true],
  ['{ $.level > 1 }', line, false],
  ['{ $.again IS TRUE }', line, true],
  ['{ $.again IS FALSE }', line, false],
  ['{ $.nothing IS NULL }', line, true],
  ['{ $.missing IS NULL }', line, false],
  ['{ $.missing NOT EXISTS }', line, true],
  ['{ $.level NOT EXISTS }', line, false],
  ['{ $.nothing EXISTS }', line, true],
  ['{ $.error.causes[0].code = "ECONNRESET" }', line, true],
  ['{ $.error.causes[1].code = "ECONNRESET" }', line, false],
  ["{ $['dotted.name'] = x }", line, true],
  ['{ $.level = "ERROR" }', text, false],
  ['{ $.level NOT EXISTS }', 'null', false],
  ['{ $.level NOT EXISTS }', '{"broken', false],
])('%s on %s: %s', (pattern, message, matches) => {
  expect(compileFilterPattern(pattern)(message)).toBe(matches);
});

test.each(['[ip, user]', '{ $.level }', '{ level = "x" }', '{ $.a = 1', '"open', '{ $.a = %[% }'])(
  'a pattern that cannot be read is refused: %s',
  (pattern) => {
    expect(() => compileFilterPattern(pattern)).toThrow(expect.objectContaining({ name: 'InvalidParameterException' }));
  },
);

test('a quoted text matches anywhere in a message, and as the whole message', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (before, term, after) => {
      const pattern = `"${term.replaceAll(/["\\]/g, '\\$&')}"`;
      expect(compileFilterPattern(pattern)(before + term + after)).toBe(true);
      expect(compileFilterPattern(`-${pattern}`)(before + term + after)).toBe(false);
    }),
  );
});

test('a string field matches its own value', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const literal = value.replaceAll(/["\\]/g, '\\$&');
      expect(compileFilterPattern(`{ $.field = "${literal}" }`)(JSON.stringify({ field: value }))).toBe(true);
    }),
  );
});

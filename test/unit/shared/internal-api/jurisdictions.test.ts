import fc from 'fast-check';
import { findJurisdiction, jurisdictions } from '../../../../shared/internal-api/jurisdictions';
import states from '../../../vectors/states.json';

const vectors: [string, string][] = Object.entries(states);

const spellings = (text: string): string[] => [
  text,
  text.toLowerCase(),
  text.toUpperCase(),
  ` \t${text}\n`,
  text.replaceAll(' ', ' \t  '),
  [...text].map((letter, index) => (index % 2 ? letter.toUpperCase() : letter.toLowerCase())).join(''),
];

test('there are 54, and they equal the test vectors', () => {
  expect(vectors).toHaveLength(54);
  expect(jurisdictions).toEqual(states);
});

test.each(vectors)('%s is %s, by code and by name, in any spelling', (stateCode, stateName) => {
  for (const text of [...spellings(stateCode), ...spellings(stateName)]) {
    expect([text, findJurisdiction(text)]).toEqual([text, { stateCode, stateName }]);
  }
});

test.each([
  ['Virgin Islands', 'VI'],
  ['US Virgin Islands', 'VI'],
  ['D.C.', 'DC'],
  ['D.C', 'DC'],
  ['D. C.', 'DC'],
  ['Washington DC', 'DC'],
  ['Washington, DC', 'DC'],
  ['Washington,DC', 'DC'],
  ['Washington D.C.', 'DC'],
  ['Washington, D.C.', 'DC'],
  ['Washington , D. C', 'DC'],
])('%s is also %s', (name, stateCode) => {
  for (const text of spellings(name)) {
    expect([text, findJurisdiction(text)?.stateCode]).toEqual([text, stateCode]);
  }
});

test.each([
  ...['', ' ', 'XX', 'C A', 'Cal', 'Californias', 'NewYork', 'AS', 'MP', 'FM', 'American Samoa', 'Ontario', 'U.S.'],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'ⅭA', 'null', '0'],
  ...[
    'N.Y.',
    'C.A.',
    'Virgin Islands, U.S.',
    'D',
    'DCC',
    'D-C',
    'Washington D',
    'Washington State',
    'Washington, DC 20001',
  ],
  ...['.', ',', '\u200b'],
])('%p is not a jurisdiction', (text) => {
  expect(findJurisdiction(text)).toBeUndefined();
});

test('letter case and white space around and within a name do not matter', () => {
  const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r', '\u00a0'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(...vectors),
      fc.boolean(),
      blank,
      fc.infiniteStream(fc.boolean()),
      (vector, byCode, space, upper) => {
        const [stateCode, stateName] = vector;
        const text = [...(byCode ? stateCode : stateName)]
          .map((letter) => (letter === ' ' ? space : upper.next().value ? letter.toUpperCase() : letter.toLowerCase()))
          .join('');
        return findJurisdiction(space + text + space)?.stateCode === stateCode;
      },
    ),
  );
});

/** Text with other strings inserted around and between its letters. */
const withInsertions = (text: fc.Arbitrary<string>, inserted: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.array(inserted, { minLength: 40, maxLength: 40 }))
    .map(([letters, others]) => [...letters].map((letter, index) => others[index] + letter).join('') + others[39]);

test('the District of Columbia is found in every spelling of DC and Washington DC', () => {
  const separator = fc.string({ unit: fc.constantFrom(',', '.', ' ', '\t', '\u00a0'), maxLength: 3 });
  const name = fc.constantFrom('DC', 'dc', 'Dc', 'WashingtonDC', 'washingtondc', 'WASHINGTONDC');
  fc.assert(
    fc.property(withInsertions(name, separator), (text) => {
      expect([text, findJurisdiction(text)?.stateCode]).toEqual([text, 'DC']);
    }),
  );
});

test('zero-width characters are ignored at any position', () => {
  const invisible = fc.string({
    unit: fc.constantFrom('\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u200e', '\ufe0f'),
    maxLength: 2,
  });
  const spelling = fc.constantFrom(...vectors.flat(), 'Washington, D.C.', 'US Virgin Islands');
  fc.assert(
    fc.property(
      spelling.chain((text) => fc.tuple(fc.constant(text), withInsertions(fc.constant(text), invisible))),
      ([text, copied]) => {
        expect([copied, findJurisdiction(copied)]).toEqual([copied, findJurisdiction(text)]);
      },
    ),
  );
});

test('property: any text is one of the 54 jurisdictions or is not found', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = findJurisdiction(text);
      return (
        found === undefined || vectors.some(([code, name]) => code === found.stateCode && name === found.stateName)
      );
    }),
  );
});

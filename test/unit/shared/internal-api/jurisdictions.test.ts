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

test('there are 54, and they are the ones of the vectors', () => {
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
  ['Washington DC', 'DC'],
  ['Washington, D.C.', 'DC'],
])('%s is %s as well', (name, stateCode) => {
  for (const text of spellings(name)) {
    expect([text, findJurisdiction(text)?.stateCode]).toEqual([text, stateCode]);
  }
});

test.each([
  ...['', ' ', 'XX', 'C A', 'Cal', 'Californias', 'NewYork', 'AS', 'MP', 'FM', 'American Samoa', 'Ontario', 'U.S.'],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'ⅭA', 'null', '0'],
])('%p is none', (text) => {
  expect(findJurisdiction(text)).toBeUndefined();
});

test('any case and any white space around and within finds the same', () => {
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

test('any text is either one of the 54 or none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = findJurisdiction(text);
      return (
        found === undefined || vectors.some(([code, name]) => code === found.stateCode && name === found.stateName)
      );
    }),
  );
});

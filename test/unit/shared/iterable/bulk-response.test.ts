import fc from 'fast-check';
import { foldEmail, readBulk, shareOut } from '../../../../shared/iterable/bulk-response';

const read = (body: unknown) =>
  readBulk(
    { statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(body)), attempt: 1, responseTimeMs: 1 },
    (text) => text.replaceAll('secret', '[secret]'),
    0,
  );
const share = (body: unknown, emails: readonly string[]) => shareOut(read(body), emails);
const codesOf = (body: unknown, emails: readonly string[]) =>
  share(body, emails).results.map(({ response }) => response.code);

describe('a failed user is found', () => {
  const one = { successCount: 1, failCount: 1 };
  test.each([
    ['in a list that is not documented', { invalidPhoneEmails: ['b@example.com'] }, 'invalidPhoneEmails'],
    ['in a list of objects', { invalidEmails: [{ email: 'b@example.com', reason: 'x' }] }, 'invalidEmails'],
    ['in another case', { notFoundEmails: ['B@EXAMPLE.COM'] }, 'notFoundEmails'],
    ['with white space around it', { notFoundEmails: [' b@example.com\n'] }, 'notFoundEmails'],
    ['among invalid entries', { conflictEmails: [null, 5, {}, [], 'b@example.com'] }, 'conflictEmails'],
    ['in a list of user ids', { invalidUserIds: ['b@example.com'] }, 'invalidUserIds'],
    ['in an object of lists', { more: { deepEmails: ['b@example.com'] } }, 'deepEmails'],
    ['in a list in place of an object of lists', ['b@example.com'], 'failedUpdates'],
    ['in a list with the name of a method', { constructor: ['b@example.com'] }, 'constructor'],
  ])('%s', (_form, failedUpdates, list) => {
    expect(codesOf({ ...one, failedUpdates }, ['a@example.com', 'b@example.com'])).toEqual(['Success', list]);
  });

  test.each(['invalidEmails', 'invalidUserIds'])('in the deprecated %s', (list) => {
    expect(codesOf({ ...one, [list]: [{ email: 'b@example.com' }] }, ['a@x.example', 'b@example.com'])).toEqual([
      'Success',
      list,
    ]);
  });

  test('in another Unicode form', () => {
    const failedUpdates = { invalidEmails: ['cafe\u0301@example.com'] };
    expect(codesOf({ ...one, failedUpdates }, ['a@example.com', 'caf\u00e9@example.com'])).toEqual([
      'Success',
      'invalidEmails',
    ]);
  });
});

test('gives the reason, for a documented list and for any other', () => {
  const failedUpdates = { forgottenEmails: ['a@example.com'], 'a secret list': ['b@example.com'] };
  const { results } = share({ successCount: 0, failCount: 2, failedUpdates }, ['a@example.com', 'b@example.com']);
  expect(results.map(({ response }) => response)).toEqual([
    { code: 'forgottenEmails', msg: 'The user has been forgotten (GDPR)' },
    { code: 'a [secret] list', msg: 'Iterable names the user in this list' },
  ]);
});

test('a user in two lists is counted once', () => {
  const failedUpdates = { invalidEmails: ['a@example.com'], conflictEmails: ['A@example.com'] };
  expect(share({ successCount: 1, failCount: 2, failedUpdates }, ['a@example.com', 'b@example.com'])).toMatchObject({
    results: [{ success: false }, { success: false }],
    isComplete: false,
  });
});

test('a named user who is not in the batch does not account for a failure', () => {
  const failedUpdates = { invalidEmails: ['c@example.com'] };
  expect(share({ successCount: 1, failCount: 1, failedUpdates }, ['a@example.com', 'b@example.com'])).toMatchObject({
    results: [{ success: false }, { success: false }],
    isComplete: false,
  });
});

test('if there are more names than the limit, no user counts as a success', () => {
  const failedUpdates = (names: number) => ({ a: Array(names - 1).fill('x'), b: ['c@example.com'] });
  const response = { successCount: 1, failCount: 0 };
  expect(codesOf({ ...response, failedUpdates: failedUpdates(10_000) }, ['a@example.com'])).toEqual(['Success']);
  expect(codesOf({ ...response, failedUpdates: failedUpdates(10_001) }, ['a@example.com'])).toEqual(['failCount']);
});

test('deep nesting is read quickly', () => {
  const depth = 100_000;
  const failedUpdates = `${'{"a":'.repeat(depth)}[]${'}'.repeat(depth)}`;
  const body = Buffer.from(`{"successCount":1,"failCount":0,"failedUpdates":${failedUpdates}}`);
  const response = readBulk({ statusCode: 200, headers: {}, body, attempt: 1, responseTimeMs: 1 }, (text) => text, 0);
  expect(shareOut(response, ['a@example.com']).results).toMatchObject([{ success: true }]);
});

test('property: an address is the same in any case and Unicode form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const forms = [
        text.toUpperCase(),
        text.toLowerCase(),
        text.normalize('NFC'),
        text.normalize('NFD'),
        text.normalize('NFD').toUpperCase(),
        ` ${text.toLowerCase().normalize('NFD')}\n`,
      ];
      expect(new Set(forms.map(foldEmail))).toEqual(new Set([foldEmail(text)]));
    }),
    { examples: [['ẞ'], ['ß']] },
  );
});

/** The forms in which a response can contain an address. */
const written = (email: string): fc.Arbitrary<unknown> =>
  fc.constantFrom<unknown>(
    email,
    email.toUpperCase(),
    email.normalize('NFD'),
    ` ${email}`,
    { email },
    { email: email.toUpperCase(), reason: 'x' },
  );
const emails = ['a@example.com', 'b@example.com', 'caf\u00e9@example.com', 'd@stra\u00dfe.example', 'e@example.com'];

test('property: named users have failed, and only users proven by the response have succeeded', () => {
  const responses = fc
    .record({
      batch: fc.subarray(emails, { minLength: 1 }),
      named: fc.subarray([...emails, 'other@example.com']),
      list: fc.constantFrom('invalidEmails', 'invalidPhoneEmails', 'x'),
      successCount: fc.integer({ min: -1, max: 6 }),
      failCount: fc.integer({ min: -1, max: 6 }),
    })
    .chain((response) =>
      fc
        .tuple(...response.named.map(written))
        .map((entries) => ({ ...response, failedUpdates: { [response.list]: entries } })),
    );
  fc.assert(
    fc.property(responses, ({ batch, named, failedUpdates, successCount, failCount }) => {
      const { results, isComplete } = share({ successCount, failCount, failedUpdates }, batch);
      expect(results).toHaveLength(batch.length);
      const namedInBatch = batch.filter((email) => named.includes(email));
      for (const [index, email] of batch.entries())
        if (named.includes(email)) expect(results[index]?.success).toBe(false);
      const successes = results.filter(({ success }) => success).length;
      if (successes > 0) {
        expect(failCount).toBeLessThanOrEqual(namedInBatch.length);
        expect(successCount).toBeGreaterThanOrEqual(successes);
      }
      // After a complete response, no user is sent again.
      const isNamed = namedInBatch.length === batch.length;
      expect(isComplete).toBe(isNamed || successes === batch.length - namedInBatch.length);
    }),
    { numRuns: 1_000 },
  );
});

import swagger from '../../../../docs/contracts/iterable-swagger.json';
import { documentedReasons, reasonOf } from '../../../../shared/iterable/reasons';

const { IterableApiResponse, BulkTrackResponse, FailedEventUpdates, FailedUserUpdates } = swagger.definitions;

test('the reasons are the codes and lists that Iterable documents', () => {
  const codes = IterableApiResponse.properties.code.enum.filter((code) => code !== 'Success');
  const lists = [BulkTrackResponse, FailedEventUpdates, FailedUserUpdates]
    .flatMap(({ properties }) => Object.keys(properties))
    .filter((name) => /Emails$|UserIds$|^disallowed/.test(name));
  expect([...documentedReasons].sort()).toEqual([...new Set([...codes, ...lists])].sort());
});

test.each([
  ['ForgottenUserError', 'ForgottenUserError'],
  ['failCount', 'failCount'],
  ['maria@example.com', 'other'],
  ['', 'other'],
])('%j is logged as %s', (code, reason) => {
  expect(reasonOf(code)).toBe(reason);
});

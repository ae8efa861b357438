import { enrichSubjects, selectAudience, uniqueByUuid } from '../../../../shared/netlife/enrich';
import type { Audience } from '../../../../shared/netlife/input';
import type { Subject } from '../../../../shared/netlife/schemas';
import { activity, details, subject } from '../../../support/netlife';

const named = (uuid: string, firstName: string): Subject => subject({ uuid, first_name: firstName });

const enrich = (audience: Audience, buyers: readonly Subject[], nonBuyers: readonly Subject[]) =>
  enrichSubjects({
    job: { uuid: 'job-1', activities: [activity()] },
    subjects: selectAudience({ buyers, nonBuyers }, audience),
    users: new Map([['b', { userUuid: 'user-1', email: 'b@x.example' }]]),
    details: details(),
  });

const rows = (...args: Parameters<typeof enrich>) =>
  enrich(...args).map(({ subject: { uuid, firstName }, buyer }) => `${uuid} ${firstName} ${buyer ? 'Yes' : 'No'}`);

test('a subject in both lists is a buyer, once, with the row of the list of buyers', () => {
  const [buyers, nonBuyers] = [[named('b', 'Buyer')], [named('a', 'Other'), named('b', 'Older')]];
  expect(rows('both', buyers, nonBuyers)).toEqual(['a Other No', 'b Buyer Yes']);
  expect(rows('non-buyers', buyers, nonBuyers)).toEqual(['a Other No']);
  // This audience reads only one list. The subject has the same row for every audience.
  expect(rows('buyers', buyers, [])).toEqual(['b Buyer Yes']);
  expect(rows('buyers', buyers, nonBuyers)).toEqual(['b Buyer Yes']);
});

test('a subject has the registered user of its own uuid', () => {
  const found = enrich('both', [named('b', 'B')], [named('c', 'C')]).map(({ registeredUser }) => registeredUser);
  expect(found).toEqual([{ userUuid: 'user-1', email: 'b@x.example' }, undefined]);
});

test('the last row of each uuid is kept, and rows are sorted by uuid', () => {
  expect(uniqueByUuid([named('b', '1'), named('a', '2'), named('b', '3')]).map(({ firstName }) => firstName)).toEqual([
    '2',
    '3',
  ]);
});

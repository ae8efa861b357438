import { addStatistics, formatFinalStats, portalTitle } from '../../../../shared/netlife/stats';
import { portalAt } from '../../../support/netlife';

test('adds up the counters, and keeps the first 5 messages', () => {
  const sum = addStatistics(
    { jobs_processed: 1, duration_seconds: 2, errors: ['1', '2', '3'] },
    { jobs_processed: 2, retries: 1, duration_seconds: 0.5, errors: ['4', '5', '6'] },
  );
  expect(sum).toMatchObject({ jobs_processed: 3, retries: 1, duration_seconds: 2.5, contacts_written: 0 });
  expect(sum.errors).toEqual(['1', '2', '3', '4', '5']);
});

test('prints the block of the contract', () => {
  const stats = addStatistics({
    duration_seconds: 83.9,
    activities_found: 42,
    jobs_processed: 8,
    subjects_total: 256,
    subjects_buyers: 128,
    subjects_non_buyers: 128,
    subjects_with_phones: 224,
    subjects_with_emails: 198,
    subjects_with_images: 256,
    registered_users_checked: 256,
    registered_users_found: 204,
    access_keys_existing: 128,
    access_keys_created: 84,
    access_keys_failed: 2,
    api_calls_total: 47,
  });
  expect(formatFinalStats(portalTitle(portalAt()), stats)).toBe(`==================================================
FINAL STATS - nowandforeverphoto (Generations)
==================================================
Duration: 0:01:23
Activities Found: 42
Jobs Processed: 8
Subjects Total: 256
  - Buyers: 128
  - Non-Buyers: 128
  - With Phones: 224
  - With Emails: 198
  - With Images: 256
Registered Users:
  - Checked: 256
  - Found: 204
  - Rate: 79.7%
Access Keys:
  - Existing: 128
  - Created: 84
  - Failed: 2
API Calls:
  - Total: 47
  - Failed: 0
==================================================
`);
});

test('the rate is relative to the checked users, not to all subjects', () => {
  const stats = addStatistics({ subjects_total: 1_000, registered_users_checked: 8, registered_users_found: 2 });
  expect(formatFinalStats('portal', stats)).toContain('  - Rate: 25.0%\n');
});

test('a run of over a day, without users', () => {
  const text = formatFinalStats('all portals', addStatistics({ duration_seconds: 100_000 }));
  expect(text).toContain('Duration: 27:46:40\n');
  expect(text).toContain('  - Rate: 0.0%\n');
});

import { neededAfter } from '../../../../shared/netlife/needed';
import { addStatistics } from '../../../../shared/netlife/stats';

const statistics = addStatistics({
  api_calls_total: 1_000,
  retries: 40,
  access_keys_existing: 700,
  access_keys_known: 100,
  access_keys_failed: 80,
});
const needed = (create_access_keys: boolean, max_access_key_age_days: number) =>
  neededAfter({ netlife: { create_access_keys, max_access_key_age_days }, jobs: 12, statistics, callsPerSecond: 8 });

test.each([
  ['keys that the dry run has read are known', false, 7, { calls: 360, minutes: 0.8 }],
  ['each missing key is created with one call', true, 7, { calls: 440, minutes: 1 }],
  ['all keys are read again if none may be known', false, 0, { calls: 960, minutes: 2 }],
] as const)('%s', (_what, create, maxAge, expected) => {
  expect(needed(create, maxAge)).toEqual({ jobs: 12, ...expected });
});

import type { NetlifePlan } from './input';
import type { Needed } from './outcome';
import type { Statistics } from './stats';

export interface DryRun {
  readonly netlife: Pick<NetlifePlan['netlife'], 'create_access_keys' | 'max_access_key_age_days'>;
  readonly jobs: number;
  readonly statistics: Statistics;
  readonly callsPerSecond: number;
}

/**
 * What a run needs that follows a dry run: the same calls, without repeated ones and without those for access keys that
 * the dry run has read, and one more for each access key to create.
 */
export const neededAfter = ({ netlife, jobs, statistics, callsPerSecond }: DryRun): Needed => {
  const { api_calls_total, retries, access_keys_existing, access_keys_known, access_keys_failed } = statistics;
  const known = netlife.max_access_key_age_days === 0 ? 0 : access_keys_existing - access_keys_known;
  const calls = api_calls_total - retries - known + (netlife.create_access_keys ? access_keys_failed : 0);
  return { jobs, calls, minutes: Math.ceil((calls / callsPerSecond / 60) * 10) / 10 };
};

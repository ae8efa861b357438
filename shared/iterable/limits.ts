import { bulkLimits } from './batches';

/** Iterable's limits for a project (docs/contracts/iterable.md). That of `readProfile` is our own. */
export const callsPerSecond = {
  updateUser: 500,
  updateUsers: 5,
  trackEvent: 2_000,
  trackEvents: 10,
  readProfile: 5,
} as const;

/** The calls that users need at least, and the minutes that these take at the limits. */
export const neededFor = (mode: 'single' | 'bulk', users: number, events: number) => {
  const perCall = mode === 'bulk' ? bulkLimits.items : 1;
  const [update, track] =
    mode === 'bulk' ? (['updateUsers', 'trackEvents'] as const) : (['updateUser', 'trackEvent'] as const);
  const calls = { users_update: Math.ceil(users / perCall), events_track: Math.ceil(events / perCall) };
  const seconds = Math.max(calls.users_update / callsPerSecond[update], calls.events_track / callsPerSecond[track]);
  return { ...calls, minutes: Math.ceil((seconds / 60) * 10) / 10 };
};

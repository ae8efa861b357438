import type { Machine } from '../../../emulator/step-functions/definition';
import { type ListOf, shrink } from '../shrink';
import type { SyncHistory } from './history';
import { type SyncResult, simulateSync } from './simulate-sync';

/** What happens to runs comes first: without it, most runs and changes are not needed either. */
const names = ['disturbances', 'traps', 'runs', 'flips', 'changes', 'contents'] as const;

const lists = names.map(
  (name): ListOf<SyncHistory> => ({
    length: (history) => history[name].length,
    without: (history, start, count) => ({
      ...history,
      [name]: history[name].filter((_, index) => index < start || index >= start + count),
    }),
  }),
);

/**
 * Shrinks a history of sync runs that failed with this result.
 *
 * @param isTimeUp ends the search
 */
export const shrinkSync = (
  history: SyncHistory,
  machine: Machine,
  { violations }: Pick<SyncResult, 'violations'>,
  isTimeUp: () => boolean,
): Promise<SyncHistory> => {
  const oracles = new Set(violations.map(({ oracle }) => oracle));
  const fails = async (candidate: SyncHistory): Promise<boolean> => {
    const again = await simulateSync(candidate, { machine });
    return again.violations.some(({ oracle }) => oracles.has(oracle));
  };
  return shrink(history, lists, fails, isTimeUp);
};

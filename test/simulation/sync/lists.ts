import type { ListOf } from '../shrink';
import type { SyncHistory } from './history';

/** What happens to runs comes first: without it, most runs and changes are not needed either. */
const names = ['disturbances', 'traps', 'runs', 'flips', 'changes', 'contents'] as const;

/** What can be left out of a history of sync runs. */
export const lists = names.map(
  (name): ListOf<SyncHistory> => ({
    length: (history) => history[name].length,
    without: (history, start, count) => ({
      ...history,
      [name]: history[name].filter((_, index) => index < start || index >= start + count),
    }),
  }),
);

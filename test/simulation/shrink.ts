import type { History } from './history';

/** Maximum number of runs. */
const maxRuns = 300;

/**
 * Shrinks a failing history: leaves out the faults of single calls, then as many actions as possible, in ever smaller
 * portions.
 *
 * @param fails whether a history fails in the same way
 * @param isTimeUp ends the search; the result is then the shortest history so far
 */
export const shrink = async (
  history: History,
  fails: (history: History) => Promise<boolean>,
  isTimeUp: () => boolean = () => false,
): Promise<History> => {
  let shortest = history;
  let runs = 0;
  const isOver = (): boolean => runs >= maxRuns || isTimeUp();
  const tryOut = async (candidate: History): Promise<boolean> => {
    runs += 1;
    if (!(await fails(candidate))) return false;
    shortest = candidate;
    return true;
  };

  if (history.faultShare > 0) await tryOut({ ...history, faultShare: 0 });
  for (let size = Math.ceil(shortest.actions.length / 2); ; size = Math.ceil(size / 2)) {
    for (let start = 0; start < shortest.actions.length && !isOver(); ) {
      const actions = shortest.actions.toSpliced(start, size);
      if (!(await tryOut({ ...shortest, actions }))) start += size;
    }
    if (size <= 1 || isOver()) return shortest;
  }
};

/** Maximum number of runs. */
const maxRuns = 300;

/** A list in a history, of which a part can be left out. */
export interface ListOf<History> {
  readonly length: (history: History) => number;
  readonly without: (history: History, start: number, count: number) => History;
}

/**
 * Shrinks a failing history: leaves out the faults of single calls, then as much of its lists as possible, in ever smaller
 * portions.
 *
 * @param fails whether a history fails in the same way
 * @param isTimeUp ends the search; the result is then the shortest history so far
 */
export const shrink = async <History extends { readonly faultShare: number }>(
  history: History,
  lists: readonly ListOf<History>[],
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
  const shorten = async ({ length, without }: ListOf<History>): Promise<void> => {
    for (let size = Math.ceil(length(shortest) / 2); ; size = Math.ceil(size / 2)) {
      for (let start = 0; start < length(shortest) && !isOver(); ) {
        if (!(await tryOut(without(shortest, start, size)))) start += size;
      }
      if (size <= 1 || isOver()) return;
    }
  };

  if (history.faultShare > 0) await tryOut({ ...history, faultShare: 0 });
  for (const list of lists) await shorten(list);
  return shortest;
};

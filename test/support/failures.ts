import type { Failure, FailureCollector } from '../../shared/issues/failure-collector';

/** Keeps the failures that a worker adds, and those of each flush. */
export const recordFailureGroups = () => {
  const added: Failure[] = [];
  let flushes = 0;
  const collector: FailureCollector = {
    add: (failure) => {
      added.push(failure);
    },
    flush: async () => {
      flushes += 1;
    },
  };
  return { added, collector, flushes: () => flushes };
};

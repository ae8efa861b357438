import { writeFileSync } from 'node:fs';

/** Linux shares the CPU among sessions ("autogroups") first; this is the nice value of ours. */
const autogroupFile = '/proc/self/autogroup';
const highestPriority = '-19';

/**
 * Gives this process priority on the CPU where the system allows it (root on Linux). The process must be in its own
 * session (`detached`), because the priority applies to the whole session. Does not use `setPriority`, which affects only
 * the main thread: the threads of the garbage collector would fall behind, and the heap would grow.
 */
export const takeCpuPriority = (): void => {
  try {
    writeFileSync(autogroupFile, highestPriority);
  } catch {
    // Without the priority, other load affects the figures.
  }
};

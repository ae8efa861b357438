import { readdirSync, readFileSync } from 'node:fs';

/** A file of a process in Linux' `/proc`. Undefined if the process has ended. */
export const readProcess = (pid: number, file: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * Ids of the processes that a process has started.
 *
 * @throws {Error} on a system without `/proc`
 */
export const childrenOf = (pid: number): readonly number[] => {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) => readProcess(pid, `task/${task}/children`)?.match(/\d+/g) ?? []).map(Number);
};

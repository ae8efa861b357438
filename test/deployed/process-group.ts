import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const patienceMs = 10_000;

/** Sends a signal to a process group; 0 only asks. @returns whether anybody is in it */
export const signalGroup = (leader: number | undefined, signal: NodeJS.Signals | 0): boolean => {
  if (leader === undefined) return false;
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};

/**
 * Waits until a process has ended, and its output is read.
 *
 * @param signal ends it and all that it started: it must lead a group of its own
 * @returns its exit code
 * @throws the signal's reason, when nothing of the group runs any more
 */
export const closed = async (child: ChildProcess, signal: AbortSignal | undefined): Promise<number> => {
  const closing = once(child, 'close');
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child.pid, 'SIGTERM');
    killing = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), patienceMs);
  };
  if (signal?.aborted) end();
  else signal?.addEventListener('abort', end, { once: true });
  try {
    const [code] = await closing;
    if (!signal?.aborted) return code ?? 1;
    const deadlineMs = Date.now() + patienceMs;
    while (signalGroup(child.pid, 0) && Date.now() < deadlineMs) await sleep(50);
    signalGroup(child.pid, 'SIGKILL');
    throw signal.reason;
  } finally {
    clearTimeout(killing);
    signal?.removeEventListener('abort', end);
  }
};

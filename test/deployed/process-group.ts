import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const terminationTimeoutMs = 10_000;

/** Sends a signal to a process group; 0 only checks it. @returns whether the group has a process */
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
 * Waits until a process has ended and its output is read.
 *
 * @param signal ends the process and its group; the process must lead its own group
 * @returns the exit code
 * @throws the signal's reason, after every process of the group has ended
 */
export const waitForClose = async (child: ChildProcess, signal: AbortSignal | undefined): Promise<number> => {
  const closing = once(child, 'close');
  let killTimer: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), terminationTimeoutMs);
  };
  if (signal?.aborted) end();
  else signal?.addEventListener('abort', end, { once: true });
  try {
    const [code] = await closing;
    if (!signal?.aborted) return code ?? 1;
    const deadlineMs = Date.now() + terminationTimeoutMs;
    while (signalGroup(child.pid, 0) && Date.now() < deadlineMs) await sleep(50);
    signalGroup(child.pid, 'SIGKILL');
    throw signal.reason;
  } finally {
    clearTimeout(killTimer);
    signal?.removeEventListener('abort', end);
  }
};

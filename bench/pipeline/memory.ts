import { readdirSync, readFileSync } from 'node:fs';

const intervalMs = 500;

/** Undefined when the process has ended. */
const readProcess = (pid: number, file: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
};

const familyOf = (pid: number): readonly number[] => {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap((task) => readProcess(pid, `task/${task}/children`)?.match(/\d+/g) ?? []);
  return [pid, ...children.map(Number)];
};

/** Proportional set size: memory that processes share, such as Node's own code, counts once among them. */
const memoryMbOf = (pid: number): number => {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(readProcess(pid, 'smaps_rollup') ?? '')?.[1];
  return (Number(kib ?? 0) * 1024) / 1e6;
};

/**
 * Watches the memory of a process and its children, by Linux' `/proc`.
 *
 * @returns stops watching, and gives the most MB (1e6 bytes) that they took together at any look, twice a second
 * @throws {Error} on a system without `/proc`
 */
export const watchMemory = (pid: number): (() => number) => {
  let peakMb = 0;
  const look = () => {
    let totalMb = 0;
    for (const member of familyOf(pid)) totalMb += memoryMbOf(member);
    peakMb = Math.max(peakMb, totalMb);
  };
  look();
  const timer = setInterval(look, intervalMs);
  return () => {
    clearInterval(timer);
    return peakMb;
  };
};

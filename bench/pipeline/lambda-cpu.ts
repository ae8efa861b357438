import { sum } from '../statistics';
import { childrenOf, readProcess } from './processes';

/** Linux reports CPU times in hundredths of a second. */
const tickMs = 10;

/** User and system time of a process, all threads. */
const cpuMsOf = (pid: number): number => {
  // The second field, the name in parentheses, can contain spaces.
  const fields =
    readProcess(pid, 'stat')
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? [];
  const [utime = 0, stime = 0] = fields.slice(11, 13).map(Number);
  return (utime + stime) * tickMs;
};

const isLambda = (pid: number): boolean => readProcess(pid, 'cmdline')?.includes('runtime-loop') ?? false;

/** CPU time that the running Lambda processes of an embedded AWS have used so far, user and system. */
export const lambdaCpuMs = (awsPid: number): number => sum(childrenOf(awsPid).filter(isLambda).map(cpuMsOf));

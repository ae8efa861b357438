import { syncJobNames } from '../../../shared/runs/jobs';
import { workerNames } from '../../services/dead-letters';
import { pausableParts } from '../../services/pause/parts';
import { stages } from '../../services/stage-connection';

/** The shells for which a script is generated. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** One word of each saved query with which `logs` finds it: the kind of its subject, or a word of its name. */
export const savedQueryWords = [
  ...['order', 'request', 'run', 'errors', 'response', 'failures', 'retries', 'slowest', 'refused', 'answered'],
  ...['never', 'portals', 'cold', 'memory', 'compute', 'logs'],
] as const;

/** The words that an argument or an option takes, by its name. */
export const wordsOf: Readonly<Record<string, readonly string[]>> = {
  shell: shells,
  query: savedQueryWords,
  queue: workerNames,
  part: pausableParts,
  job: syncJobNames,
  '--stage': stages,
  '--worker': workerNames,
  '--status': ['FAILED', 'PROCESSED'],
  '--from': ['qualia', 'raw'],
};

import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import * as z from 'zod';
import type { FigureSet } from '../figure';
import { percentile, round } from '../statistics';

const timesSchema = z.array(z.number()).min(1);

/** The webhook handler's own time in a warm process: the duration of a call minus its two AWS calls. */
export const webhook: FigureSet<'webhook_own_ms_p50' | 'webhook_own_ms_p99'> = {
  title: 'Webhook handler, warm',
  bars: {
    webhook_own_ms_p50: { unit: 'ms', bar: 1, better: 'lower' },
    webhook_own_ms_p99: { unit: 'ms', bar: 5, better: 'lower' },
  },
  measure: async (note) => {
    // In its own process, because its log lines go to standard output.
    const child = fork(path.join(__dirname, '../webhook-calls.ts'), {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`The measured process ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, 'message'), failed]);
    child.kill();
    failed.catch(() => undefined);
    const timesMs = timesSchema.parse(message);
    note(`${timesMs.length} calls, one after another, signed`);
    return {
      webhook_own_ms_p50: round(percentile(timesMs, 0.5), 3),
      webhook_own_ms_p99: round(percentile(timesMs, 0.99), 3),
    };
  },
};

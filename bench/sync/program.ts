import type * as z from 'zod';
import { takeCpuPriority } from './cpu-priority';

/** Runs the work of a program that `runSender` started: parses its argument, and sends the result to the parent. */
export const send = <T>(schema: z.ZodType<T>, work: (order: T) => Promise<object>): void => {
  takeCpuPriority();
  // In its own session, it does not receive Ctrl-C.
  process.once('disconnect', () => process.exit(1));
  work(schema.parse(JSON.parse(process.argv[2] ?? ''))).then(
    (report) => void process.send?.(report, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
};

import type * as z from 'zod';
import { takeCpuPriority } from './cpu-priority';

/** Runs a program that `runSender` started: parses its argument, does the work, and sends the result to the parent. */
export const runProgram = <T>(schema: z.ZodType<T>, work: (options: T) => Promise<object>): void => {
  takeCpuPriority();
  // This process has its own session, so it does not receive Ctrl-C.
  process.once('disconnect', () => process.exit(1));
  work(schema.parse(JSON.parse(process.argv[2] ?? ''))).then(
    (report) => void process.send?.(report, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
};

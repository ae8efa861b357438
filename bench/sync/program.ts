import type * as z from 'zod';
import { favourThisProcess } from './favour';

/** The work of a program that `runSender` starts: takes its order, and sends what it returns to the starter. */
export const send = <T>(schema: z.ZodType<T>, work: (order: T) => Promise<object>): void => {
  favourThisProcess();
  // In a session of its own, it does not hear of Ctrl-C.
  process.once('disconnect', () => process.exit(1));
  work(schema.parse(JSON.parse(process.argv[2] ?? ''))).then(
    (report) => void process.send?.(report, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
};

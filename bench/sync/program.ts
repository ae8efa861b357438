import type * as z from 'zod';

/** The work of a program that `runSender` starts: takes its order, and what it returns is written for the starter. */
export const send = <T>(schema: z.ZodType<T>, work: (order: T) => Promise<object>): void => {
  work(schema.parse(JSON.parse(process.argv[2] ?? ''))).then(
    (report) => void process.stdout.write(JSON.stringify(report)),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 1;
    },
  );
};

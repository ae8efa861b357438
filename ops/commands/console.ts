import type { Command } from 'commander';
import * as z from 'zod';
import { startConsole } from '../console/server/start';
import { exitCodes } from './exit-codes';
import type { Attach } from './verb';

const help = `
Listens on 127.0.0.1 only. The printed address works once, in one browser; the
console works with your AWS credentials until Ctrl-C. Without --write, it
refuses every change. Changes are recorded, as those of this command are.`;

const highestPort = 65_535;
const portSchema = z.string().transform((text, context): number => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= highestPort) return port;
  context.addIssue({ code: 'custom', message: `must be a port from 0 to ${highestPort}` });
  return z.NEVER;
});

/** Adds `console`. */
export const addConsoleCommand = (program: Command, attach: Attach): void => {
  const command = program
    .command('console')
    .description('serve the web console on this machine, until Ctrl-C')
    .option('--write', 'allow changes')
    .option('--port <port>', 'port to listen on; 0: a free one', '0')
    .addHelpText('after', help);
  attach(command, {
    schema: z.object({ write: z.boolean().default(false), port: portSchema }),
    run: ({ write, port }, session) =>
      session.interruptible(async (signal) => {
        const { stage, stageLabel, terminal } = session;
        const console = await startConsole({ ...session, write }, port);
        const { signInUrl } = console;
        terminal.result(
          { stage: stage.name, url: signInUrl, write },
          () => `Console of ${stageLabel}${write ? '' : ' (read-only)'}: ${signInUrl}`,
        );
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          else signal.addEventListener('abort', () => resolve(), { once: true });
        });
        await console.stop();
        return exitCodes.done;
      }),
  });
};

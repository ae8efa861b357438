import type { Command } from 'commander';
import * as z from 'zod';
import { listCommands } from './completion/commands';
import { scripts } from './completion/scripts';
import { shells } from './completion/values';
import { exitCodes } from './exit-codes';
import type { Attach } from './verb';

const help = `
Completes verbs, options, stages, queues and saved queries of the command
"pipeline". To load it in each new shell, add to its start-up file, after a
definition such as alias pipeline='npx pipeline':
  bash   source <(npx pipeline completion bash)
  zsh    source <(npx pipeline completion zsh)     (after compinit)
  fish   npx pipeline completion fish | source`;

/** Adds `completion`. Call it last: it completes the commands of the program. */
export const addCompletionCommand = (program: Command, attach: Attach): void => {
  const completion = program
    .command('completion')
    .description('print the script with which a shell completes this command')
    .argument('<shell>', shells.join(', '))
    .addHelpText('after', help);
  attach(completion, {
    schema: z.object({ shell: z.enum(shells, `must be one of ${shells.join(', ')}`) }),
    runOffline: async ({ shell }, { terminal }) => {
      const script = scripts[shell](listCommands(program)).trimEnd();
      terminal.result({ shell, script }, () => script);
      return exitCodes.done;
    },
    run: async () => exitCodes.usage,
  });
};

import type { Command } from 'commander';
import * as z from 'zod';
import { setOutage, simulatedApis } from '../services/simulators';
import { exitCodes } from './exit-codes';
import type { Attach } from './verb';

const help = `
Orders wait until the outage ends. Watch them with "status" and "orders list
--open", and end it with --end. docs/runbook.md says what to look for.`;

/** Adds `rehearse`. */
export const addRehearseCommand = (program: Command, attach: Attach): void => {
  const rehearse = program
    .command('rehearse')
    .description('make a simulated API respond 503 to every call, on this machine only')
    .argument('<api>', simulatedApis.join(' or '))
    .option('--end', 'end the outage')
    .addHelpText('after', help);
  attach.changing(rehearse, {
    schema: z.object({
      api: z.enum(simulatedApis, `must be ${simulatedApis.join(' or ')}`),
      end: z.boolean().default(false),
    }),
    rules: ({ local, state }) =>
      local || state !== undefined ? [] : ['only an API on this machine can fail: --local'],
    run: async ({ api, end }, { stage, stageCommand, terminal, beginChange }) => {
      await beginChange({ ids: [api] });
      await setOutage(stage, api, !end);
      terminal.result({ stage: stage.name, api, is_down: !end }, () =>
        end
          ? `The ${api} API responds again: orders resume at their next attempt.`
          : `The ${api} API responds 503 to every call. End it with: ${stageCommand} rehearse ${api} --end`,
      );
      return exitCodes.done;
    },
  });
};

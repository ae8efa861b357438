import type { Command } from 'commander';
import { addRefusedBodyCommands } from './refused-bodies';
import type { Surroundings } from './terminal';
import type { Attach } from './verb';
import { addWebhookSendCommand } from './webhook-send';

/** Adds `webhook send` and `webhook refused`; `webhooks` is the same. */
export const addWebhookCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const webhook = program
    .command('webhook')
    .alias('webhooks')
    .description('send samples to the webhook, and accept bodies that it refused');
  addWebhookSendCommand(webhook, attach);
  addRefusedBodyCommands(webhook, attach, now);
};

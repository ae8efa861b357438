import type { Command } from 'commander';
import * as z from 'zod';
import { type Action, listActions } from '../services/actions';
import { exitCodes } from './exit-codes';
import { sinceSchema } from './input';
import { oneLine, plural, type Surroundings, type Terminal, wrapText } from './terminal';
import type { Attach } from './verb';

const width = 80;
const indent = ' '.repeat(2);

/** Adds `actions`. */
export const addActionsCommand = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const actions = program
    .command('actions')
    .description('list who changed what, when and why: every verb that changes something is recorded')
    .option('--since <when>', 'begun since: 24h, 30d, or an ISO 8601 time', '7d')
    .option('--verb <words>', 'only this command, such as orders or "orders replay"')
    .option('--by <text>', "only callers whose ARN contains this text, such as a person's name");
  attach(actions, {
    schema: z.object({
      since: sinceSchema(now),
      verb: z.string().min(1, 'is empty').optional(),
      by: z.string().min(1, 'is empty').optional(),
    }),
    run: async (filter, { stage, stageLabel, terminal }) => {
      const found = await listActions(stage, filter);
      terminal.result({ stage: stage.name, since: filter.since.toISOString(), actions: found }, () =>
        found.length === 0
          ? `No recorded action in ${stageLabel} since ${filter.since.toISOString()}.`
          : found.map((action) => renderAction(action, terminal)).join('\n'),
      );
      return exitCodes.done;
    },
  });
};

const renderAction = ({ at, by, verb, ids, count, reason, outcome }: Action, { colors }: Terminal): string => {
  const color = outcome === 'done' ? colors.green : colors.red;
  const more = count > ids.length ? `… (${count})` : '';
  const subject = ids.length === 0 ? plural(count, 'item') : [...ids, more].join(' ').trim();
  const [state = '', ...explanation] = outcome.split(': ');
  const details = [`${subject}; ${reason}`, `by ${by}`, explanation.join(': ')].filter((text) => text !== '');
  return [
    `${at.slice(0, 19).replace('T', ' ')}  ${colors.bold(oneLine(verb))}  ${color(oneLine(state))}`,
    ...details.flatMap((text) => wrapText(text, width - indent.length)).map((line) => `${indent}${line}`),
  ].join('\n');
};

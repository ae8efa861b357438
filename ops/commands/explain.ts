import type { Command } from 'commander';
import * as z from 'zod';
import { explain } from '../services/explain/explain';
import type { Explanation } from '../services/explain/explanation';
import { exitCodes } from './exit-codes';
import { oneLine, type Surroundings, wrapText } from './terminal';
import type { Attach, Session } from './verb';

const help = `
An id that is an order's is explained as that. Otherwise, a number is the id of
a customer (Iterable), and a UUID that of a subject (Netlife): the reports of
the three newest runs of the job are searched. If a run did not select a
customer, the database is asked for the plan and the latest view of now.
Exits with 1 unless the answer is yes.`;

/** Width of the widest line. */
const width = 80;
const timeWidth = 22;

/** Adds `explain`. */
export const addExplainCommand = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const command = program
    .command('explain')
    .description('show why an order, a customer or a subject is, or is not, at its destination')
    .argument('<id>', 'the id of an order, of a customer, or the UUID of a subject')
    .addHelpText('after', help);
  attach(command, {
    schema: z.object({ id: z.string().regex(/^[\w-]{1,128}$/, 'is not an id') }),
    run: async ({ id }, session) => {
      const explanation = await explain(session.stage, id, now);
      session.terminal.result(toDocument(explanation, session), () => render(explanation, session));
      return explanation.answer === 'yes' ? exitCodes.done : exitCodes.failed;
    },
  });
};

const toDocument = ({ reasons, ...explanation }: Explanation, { stage }: Session) => ({
  stage: stage.name,
  ...explanation,
  reasons: reasons.map(({ at, text, command }) => ({
    at: at?.toISOString() ?? null,
    text: oneLine(text),
    command: command ?? null,
  })),
});

const render = (
  { kind, id, destination, answer, summary, reasons }: Explanation,
  { terminal, stageCommand }: Session,
): string => {
  const { colors } = terminal;
  const color = { yes: colors.green, no: colors.red, 'not yet': colors.yellow, unknown: colors.yellow }[answer];
  return [
    `Is ${kind} ${id} at ${destination}? ${color(colors.bold(answer))}`,
    ...wrapText(summary, width),
    ...reasons.flatMap(({ at, text, command }) => {
      const time = at === undefined ? '' : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
      const [first = '', ...others] = wrapText(text, width - timeWidth);
      return [
        `${time.padEnd(timeWidth)}${first}`,
        ...others.map((line) => ' '.repeat(timeWidth) + line),
        ...(command === undefined ? [] : [colors.dim(`${' '.repeat(timeWidth)}${stageCommand} ${command}`)]),
      ];
    }),
  ].join('\n');
};

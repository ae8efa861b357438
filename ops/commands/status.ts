import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import { findingsOf } from '../services/status/findings';
import { readStatus } from '../services/status/status';
import { exitCodes } from './exit-codes';
import { renderStatus, toStatusDocument } from './status-view';
import type { Attach, Session } from './verb';

/** On AWS, each refresh runs queries that are charged by what they read. */
const refreshMs = { local: 2_000, aws: 15_000 } as const;

const help = `
Exits with 1 if anything is red: orders wait for over 15 minutes, failed in the
last hour, or are dead letters; an issue or a circuit is open; an alarm is
raised; a worker is switched off without a pause, or a pause is overdue,
incomplete, or older than a day without an end; the reconciler does not run or
found missing or drifted orders; the last sync run failed. A pause explains
orders that wait and alarms that are silent.

Counts come from the log lines of the stage, and queue lengths from SQS. On
AWS, a refresh runs eight log queries (0.005 USD per GB that they read).`;

/** Adds `status`. */
export const addStatusCommand = (program: Command, attach: Attach): void => {
  const status = program
    .command('status')
    .description('show on one screen what waits, why, when it is tried next, and what else is wrong')
    .option('--watch', 'refresh until Ctrl-C')
    .addHelpText('after', help);
  attach(status, {
    schema: z.object({ watch: z.boolean().default(false) }),
    run: ({ watch }, session) => (watch ? follow(session) : show(session)),
  });
};

const take = async ({ stage, now }: Session) => {
  const status = await readStatus(stage, now);
  const findings = findingsOf(status);
  const isRed = findings.some(({ severity }) => severity === 'red');
  return { status, findings, exitCode: isRed ? exitCodes.failed : exitCodes.done };
};

const show = async (session: Session): Promise<number> => {
  const { status, findings, exitCode } = await take(session);
  session.terminal.result(toStatusDocument(status, findings), () => textOf(session, status, findings));
  return exitCode;
};

const textOf = (
  { stageLabel, stageCommand, terminal }: Session,
  ...[status, findings]: Parameters<typeof toStatusDocument>
): string => renderStatus(status, findings, stageLabel, stageCommand, terminal.colors);

/** Refreshes the screen until Ctrl-C; then the newest state is the result. */
const follow = (session: Session): Promise<number> =>
  session.interruptible(async (signal) => {
    const { stage, terminal } = session;
    const live = terminal.live();
    for (;;) {
      const { status, findings, exitCode } = await take(session);
      live.show(textOf(session, status, findings).split('\n'));
      await wait(stage.local ? refreshMs.local : refreshMs.aws, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) continue;
      terminal.result(toStatusDocument(status, findings), () => textOf(session, status, findings));
      return exitCode;
    }
  });

import type { Command } from 'commander';
import * as z from 'zod';
import { pausableParts } from '../services/pause/parts';
import { graceMs, pausePart, planPause, planResume, resumePart } from '../services/pause/pause';
import { describePause } from '../services/status/findings';
import { exitCodes } from './exit-codes';
import { untilSchema } from './input';
import type { Surroundings } from './terminal';
import type { Attach, ChangingSession } from './verb';

const partHelp = `${pausableParts.join(', ')}`;
const partSchema = z.enum(pausableParts, `must be one of ${pausableParts.join(', ')}`);

const help = `
A paused worker receives nothing: its messages wait in the queue, which keeps
them for 14 days. A paused sync is not started by its schedule; "sync start"
still works, and a run in progress continues. A deployment does not resume.

The alarms that the pause would raise stay silent, except the warning before
messages expire, and notify again ${graceMs / 60_000} minutes after the end, when what waited
is done. If the command fails or is killed, run it again: it completes the pause.`;

/** The latest end of a pause: the queues keep messages for 14 days. */
export const longestDays = 10;

/** Adds `pause` and `resume`. */
export const addPauseCommands = (program: Command, attach: Attach, now: Surroundings['now']): void => {
  const pause = program
    .command('pause')
    .description('stop a worker from receiving, or the nightly schedule of the syncs, until it is resumed')
    .argument('<part>', partHelp)
    .option('--until <when>', `resume by itself: in 30m, 4h, or at an ISO 8601 time; at most ${longestDays} days`)
    .addHelpText('after', help);
  attach.changing(pause, {
    schema: z.object({ part: partSchema, until: untilSchema(now, longestDays).optional() }),
    run: runPause,
  });

  const resume = program
    .command('resume')
    .description('end a pause, or switch a part on that was switched off by other means')
    .argument('<part>', partHelp);
  attach.changing(resume, { schema: z.object({ part: partSchema }), run: runResume });
};

type Part = z.output<typeof partSchema>;

const runPause = async (
  { part, until }: { readonly part: Part; readonly until?: Date | undefined },
  session: ChangingSession,
): Promise<number> => {
  const { stage, stageLabel, stageCommand, terminal, reason, now } = session;
  const plan = await planPause(stage, part, now());
  if (plan === undefined) {
    terminal.result(
      { stage: stage.name, part, paused: false },
      () => `Nothing to pause: no schedule starts the ${part} in ${stageLabel}.`,
    );
    return exitCodes.done;
  }
  const by = await session.beginChange({ ids: [part] });
  const pause = await pausePart(stage, part, { by, reason, until }, plan, now());
  terminal.result({ stage: stage.name, paused: true, ...pause, until: pause.until ?? null }, () =>
    [
      `In ${stageLabel}, ${describePause(pause)}`,
      ...(until === undefined ? [`It ends with: ${stageCommand} resume ${part}`] : []),
    ].join('\n'),
  );
  return exitCodes.done;
};

const runResume = async ({ part }: { readonly part: Part }, session: ChangingSession): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const plan = await planResume(stage, part, now());
  if (plan === undefined) {
    terminal.result(
      { stage: stage.name, part, resumed: false },
      () => `Nothing to do: ${part} is not paused in ${stageLabel}.`,
    );
    return exitCodes.done;
  }
  await session.beginChange({ ids: [part] });
  const { alarmsAt } = await resumePart(stage, part, plan, now());
  const document = { stage: stage.name, part, resumed: true, alarms_notify_at: alarmsAt?.toISOString() ?? null };
  terminal.result(document, () =>
    [
      `Resumed ${part} in ${stageLabel}.`,
      ...(alarmsAt ? [`Messages wait: its alarms notify again at ${terminal.time(alarmsAt)}.`] : []),
    ].join('\n'),
  );
  return exitCodes.done;
};

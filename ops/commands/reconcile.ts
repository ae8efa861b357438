import type { Command } from 'commander';
import * as z from 'zod';
import { followPass, invokeReconciler, type PassProgress } from '../services/reconcile';
import { exitCodes } from './exit-codes';
import { formatDuration, oneLine, wrapText } from './terminal';
import type { Attach, ChangingSession } from './verb';

const width = 80;

const help = `
Compares Qualia's orders with ours, as every hour, and starts a round for each
order that is missing, stuck or out of date. Ctrl-C ends the watch, not the
pass. "prove" checks the same without changing anything.`;

/** Adds `reconcile`. */
export const addReconcileCommand = (program: Command, attach: Attach): void => {
  const reconcile = program
    .command('reconcile')
    .description('run the reconciler now, and follow its pass to the result')
    .addHelpText('after', help);
  attach.changing(reconcile, { schema: z.object({}), run: (_input, session) => runReconcile(session) });
};

const describe = (progress: PassProgress): string => {
  switch (progress.state) {
    case 'started':
      return 'The reconciler was invoked.';
    case 'under way':
      return 'A pass is under way already; following it.';
    case 'waiting':
      return 'It waits for the download queue to drain.';
    case 'failed':
      return `The pass failed: ${oneLine(progress.error)}. The next invocation resumes it.`;
    default: {
      const { known, judged, missing, drifted, stuck, in_flight, duration_seconds } = progress.counts;
      const found = `${missing} missing, ${drifted} drifted, ${stuck} stuck, ${in_flight} in flight`;
      return progress.state === 'continues'
        ? `${judged} of ${known} orders compared: ${found}.`
        : `${known} orders compared in ${formatDuration(duration_seconds)}: ${found}.`;
    }
  }
};

const runReconcile = async (session: ChangingSession): Promise<number> => {
  const { stage, stageLabel, terminal, now } = session;
  const sinceMs = now();
  await session.beginChange({ ids: ['reconciler'] });
  await invokeReconciler(stage);
  return session.interruptible(async (signal) => {
    let last: PassProgress = { state: 'started' };
    for await (const progress of followPass(stage, sinceMs, { now, signal })) {
      last = progress;
      if (progress.state !== 'complete' && progress.state !== 'failed') terminal.note(describe(progress));
    }
    const counts = 'counts' in last ? last.counts : {};
    const isOver = last.state === 'complete' || last.state === 'failed';
    const text = isOver ? describe(last) : `The pass in ${stageLabel} continues; "status" shows its result.`;
    terminal.result({ stage: stage.name, state: last.state, ...counts }, () => wrapText(text, width).join('\n'));
    if (!isOver) return exitCodes.aborted;
    return last.state === 'complete' ? exitCodes.done : exitCodes.failed;
  });
};

import colors from 'picocolors';
import { type SentOrder, sentOrderSchema } from '../simulators/qualia-webhook';
import { control } from './control';
import type { DayLog, DayPlan } from './day-log';
import { followOrder } from './journey';
import type { OrdersTable } from './orders-table';
import type { Output } from './output';
import { describeResult, describeSync, newOrderCommand } from './report';
import { runDay } from './run-day';
import { runSync } from './run-sync';
import { emptySummary, findSurprises, type Summary, summarize } from './summary';
import type { World } from './world';

/** A running pipeline, and where its events are shown. */
export interface StartContext {
  readonly world: World;
  readonly table: OrdersTable;
  readonly output: Output;
}

/** Has Qualia send a new order, and shows its way through the pipeline. @returns its ID, if it was processed */
export const showFirstOrder = async ({ world, table, output }: StartContext): Promise<string | undefined> => {
  if (world.qualia === undefined) return undefined;
  output.line(colors.bold('A new order'));
  const sent = sentOrderSchema.parse(await control(`${world.qualia.controlUrl}/new-order`, 'POST'));
  const wasProcessed = await followOrder(world, table, sent, output.line);
  output.say(`\n${colors.bold('Send another new order')}\n  ${newOrderCommand(world.qualia)}`);
  return wasProcessed ? sent.order_id : undefined;
};

/** Shows the way of a new order once it has ended. */
export const showNewOrder = async ({ world, table, output }: StartContext, sent: SentOrder): Promise<void> => {
  const lines = [colors.bold('A new order')];
  await followOrder(world, table, sent, (line) => lines.push(line));
  output.say(lines.join('\n'));
};

/** Posts days of orders, and shows how they end. @returns the summary of the last one, and whether all is as expected */
export const showDays = async (
  { world, output }: StartContext,
  plans: readonly DayPlan[],
  log: DayLog,
): Promise<{ readonly summary: Summary; readonly isAsExpected: boolean }> => {
  let summary = emptySummary;
  let isAsExpected = true;
  const onProgress = output.progress.activity();
  for (const plan of plans) {
    if (plan === log.openDay) output.say('An earlier start was interrupted; finishing its day first.');
    const result = await runDay(world, plan, log, onProgress);
    const surprises = findSurprises(result);
    summary = summarize(result);
    output.say(describeResult(result, summary, surprises));
    if (surprises.length > 0) isAsExpected = false;
  }
  return { summary, isAsExpected };
};

/** Runs both sync jobs, and shows their results. @returns whether they succeeded */
export const showSyncs = async ({ world, output }: StartContext, stateDirectory: string): Promise<boolean> => {
  const sync = await runSync(world, stateDirectory, output.progress.activity());
  output.say(describeSync(sync));
  return sync.status === 'SUCCEEDED';
};

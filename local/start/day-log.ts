import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { cutUnfinishedLine, damaged, readStateFile, writeStateFile } from '../../emulator/state-files';

const count = z.int().min(0);
/** The parameters of a mixed day. The same plan gives the same day. */
const planSchema = z.object({ seed: count, firstOrder: count, orders: count, nowMs: count });
export type DayPlan = z.output<typeof planSchema>;

const stateSchema = z.object({ nextOrder: count, openDay: planSchema.optional() });

/** The open day and its answered calls. After a kill, the next start resumes there. */
export interface DayLog {
  /** The day that an earlier start did not finish. */
  readonly openDay: DayPlan | undefined;
  /** Names of its calls that were answered. */
  readonly answered: ReadonlySet<string>;
  /** Plans a new day of orders that no earlier day had. */
  plan(orders: number, nowMs: number): DayPlan;
  /** Makes `plan` the open day. */
  begin(plan: DayPlan): void;
  recordAnswer(callName: string): void;
  close(): void;
}

const advice =
  'Restore it from a copy, or start over with --fresh: the tables contain the orders of the days that it recorded.';

/**
 * Opens the log of days in `stateDirectory`.
 *
 * @throws {StateError} if it is damaged
 */
export const openDayLog = (stateDirectory: string): DayLog => {
  const stateFile = path.join(stateDirectory, 'day.json');
  const answersFile = path.join(stateDirectory, 'day-answers.txt');
  cutUnfinishedLine(answersFile);
  const answers = existsSync(answersFile) ? readFileSync(answersFile, 'utf8').split('\n').slice(0, -1) : [];
  const state = readStateFile(stateFile, stateSchema, advice);
  if (state === undefined && answers.length > 0) throw damaged(stateFile, 'it is missing', advice);
  let { nextOrder } = state ?? { nextOrder: 0 };
  const save = (openDay: DayPlan | undefined) => writeStateFile(stateFile, JSON.stringify({ nextOrder, openDay }));

  return {
    openDay: state?.openDay,
    answered: new Set(state?.openDay ? answers : []),
    plan: (orders, nowMs) => ({ seed: nextOrder + 1, firstOrder: nextOrder, orders, nowMs }),
    begin: (plan) => {
      // The parity of an order's index decides its story, so every day begins with an even one.
      nextOrder = plan.firstOrder + plan.orders + (plan.orders % 2);
      writeFileSync(answersFile, '');
      save(plan);
    },
    recordAnswer: (callName) => appendFileSync(answersFile, `${callName}\n`),
    close: () => save(undefined),
  };
};

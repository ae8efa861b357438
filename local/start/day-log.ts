import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

/** What a mixed day is made from: the same plan gives the same day. */
const planSchema = z.object({ seed: z.number(), firstOrder: z.number(), orders: z.number(), nowMs: z.number() });
export type DayPlan = z.output<typeof planSchema>;

const stateSchema = z.object({ nextOrder: z.number(), openDay: planSchema.optional() });

/** The day that is being posted, and what of it was answered: a sender that is killed goes on where it stopped. */
export interface DayLog {
  /** The day that an earlier start did not finish. */
  readonly openDay: DayPlan | undefined;
  /** Names of its calls that were answered. */
  readonly answered: ReadonlySet<string>;
  /** Plans a new day, of orders that no day before it had. */
  plan(orders: number, nowMs: number): DayPlan;
  /** From here on, `plan` is the open day. */
  begin(plan: DayPlan): void;
  recordAnswer(callName: string): void;
  close(): void;
}

/** Opens the log of days that `stateDirectory` holds. */
export const openDayLog = (stateDirectory: string): DayLog => {
  const stateFile = path.join(stateDirectory, 'day.json');
  const answersFile = path.join(stateDirectory, 'day-answers.txt');
  const state = existsSync(stateFile)
    ? stateSchema.parse(JSON.parse(readFileSync(stateFile, 'utf8')))
    : { nextOrder: 0, openDay: undefined };
  const answers = state.openDay && existsSync(answersFile) ? readFileSync(answersFile, 'utf8').split('\n') : [];
  let { nextOrder } = state;
  const save = (openDay: DayPlan | undefined) => writeFileSync(stateFile, JSON.stringify({ nextOrder, openDay }));

  return {
    openDay: state.openDay,
    answered: new Set(answers),
    plan: (orders, nowMs) => ({ seed: nextOrder + 1, firstOrder: nextOrder, orders, nowMs }),
    begin: (plan) => {
      // The stories of a day are cast by even and odd indexes, so every day begins with an even one.
      nextOrder = plan.firstOrder + plan.orders + (plan.orders % 2);
      writeFileSync(answersFile, '');
      save(plan);
    },
    recordAnswer: (callName) => appendFileSync(answersFile, `${callName}\n`),
    close: () => save(undefined),
  };
};

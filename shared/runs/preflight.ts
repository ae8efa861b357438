import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { allSettledOrThrow } from '../concurrency/settled';
import { toPipelineError } from '../errors';
import type { Fault, Found } from './faults';
import type { RunPlan } from './plan';
import { createStep } from './step';
import { startTurn, type Turn, type WorkerDependencies } from './turn';

/** Checks one thing that a run needs. */
export interface Check {
  /** `netlife/<portal>`, `iterable/database` or `iterable/key`. */
  readonly name: string;
  /** Throws what is wrong. */
  readonly run: () => Promise<void>;
}

/** The turn in which the checks are made. */
export type PreflightTurn = Pick<Turn, 'folder' | 'progress'> & {
  /** Epoch ms. No call starts, or is awaited, that would end later. */
  readonly deadlineMs: number;
};

export interface PreflightOptions<Plan extends RunPlan> extends WorkerDependencies {
  /** Distinguishes the Lambdas that check a run side by side. */
  readonly name: string;
  readonly plan: z.ZodType<Plan>;
  readonly checksOf: (run: Plan, turn: PreflightTurn) => readonly Check[];
}

const step = 'preflight';
/** Calls to vendors end after this time: what does not respond is left to the workers. */
const maxCheckMs = 30_000;

const checkEventSchema = z.object({ check: z.literal(true) });

/** Passes the events of the state `Preflight` to `preflight`, and all others to `work`. */
export const withPreflight =
  <Result>(
    preflight: (event: unknown, context: Context) => Promise<Found>,
    work: (event: unknown, context: Context) => Promise<Result>,
  ) =>
  (event: unknown, context: Context): Promise<Found | Result> =>
    checkEventSchema.safeParse(event).success ? preflight(event, context) : work(event, context);

/**
 * A branch of `Preflight`: makes its checks side by side, and returns everything that is wrong. An error that may pass
 * is no fault, because the workers try again for longer. A secret that cannot be read is one: no worker can do without.
 */
export const createPreflight = <Plan extends RunPlan>(options: PreflightOptions<Plan>) => {
  const { name, plan, checksOf, logger, metrics, now } = options;

  const faultIn = async (check: Check): Promise<Fault[]> => {
    try {
      await check.run();
      return [];
    } catch (thrown) {
      const error = toPipelineError(thrown);
      const { code: error_code, message } = error;
      if (error_code === 'RUN_TAKEN_OVER') throw error;
      const line = { step, check: check.name, error: message, error_code };
      if (error.retryable && error_code !== 'SECRET_UNREADABLE') {
        logger.warn('check not completed', line);
        return [];
      }
      logger.error('check failed', line);
      return [{ check: check.name, error_code, message }];
    }
  };

  return createStep({
    step,
    schema: z.object({ run: plan }),
    logger,
    metrics,
    keys: ({ run }) => ({ run_id: run.run_id }),
    run: async ({ run }, context): Promise<Found> => {
      const { budget, folder, progress } = await startTurn(options, run, `${step}/${name}`, context);
      const deadlineMs = Math.min(budget.deadlineMs, now() + maxCheckMs);
      const checks = checksOf(run, { folder, progress, deadlineMs });
      const faults = (await allSettledOrThrow(checks.map(faultIn))).flat();
      logger.info('sync step', { step, phase: 'ended', done: checks.length - faults.length, total: checks.length });
      return { faults };
    },
  });
};

import { createRandom } from '../../../samples/random';
import { createFaults } from '../faults';
import type { LambdaProcess } from '../lambda-process';
import { createTables } from '../models/tables';
import type { Violation } from '../oracles';
import { createScheduler } from '../scheduler';
import { createTrace } from '../trace';
import { installVirtualTime } from '../virtual-time';
import { createExecution, type PlannedRun, tableNames } from './executions';

/** The result of a history of runs. */
export interface LeasesResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly calls: number;
  readonly virtualMs: number;
}

const startMs = Date.parse('2026-01-05T00:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const limits = ['iterable', 'netlife/one', 'netlife/two'] as const;
/** Two turns must not call the same vendor within this time, so that its limit holds in every sliding second. */
const apartMs = 1_000;
/** The clocks of two Lambdas differ by less than `leaseMarginMs`. */
const maxSkewMs = 10_000;

/**
 * What goes wrong in a history. They do not occur together: a worker notices a stop within 5 s, unless it is frozen or
 * cut off from DynamoDB during this time (docs/adr/0025).
 */
const kinds = ['faults', 'operator'] as const;

/**
 * Simulates concurrent runs that use the same limits of vendors, with the real leases, turns and progress. The faults
 * are crashes, freezes, wrong clocks, throttling, lost requests and responses, and hours without DynamoDB; or an operator
 * who stops, aborts and redrives runs. At the end, everything must have finished, and no lease is held. A history of the
 * corpus that is older than the aborts leaves them out (`isEarly`).
 */
export const simulateLeases = async (
  seed: number,
  { keepsTrace = false, isEarly = false } = {},
): Promise<LeasesResult> => {
  const scheduler = createScheduler(seed, startMs);
  const { now } = scheduler;
  const restore = installVirtualTime(scheduler);
  try {
    const choose = createRandom(seed + 1);
    const chooseLater = createRandom(seed + 2);
    const kind = choose.pick(kinds);
    const trace = createTrace(now, keepsTrace);
    const faults = createFaults(scheduler);
    const violations: Violation[] = [];
    const violate = (oracle: Violation['oracle'], about: string): void => {
      trace.add('ORACLE', `${oracle}: ${about}`);
      violations.push({ oracle, about });
    };
    const tables = createTables(scheduler, {
      tables: { [tableNames.runs]: { key: ['run_id'] }, [tableNames.operations]: { key: ['kind', 'id'] } },
      maxLagMs: 1_000,
      throttledShare: kind === 'faults' ? 0.002 : 0,
    });

    let calls = 0;
    const lastCalls = new Map<string, { readonly turn: string; readonly atMs: number }>();
    const onCall = (lease: string, turn: string): void => {
      calls += 1;
      trace.add(turn, `calls ${lease}`);
      const last = lastCalls.get(lease);
      if (last !== undefined && last.turn !== turn && now() - last.atMs < apartMs) {
        violate('limit', `${lease} was called by ${last.turn} and ${turn} within a second`);
      }
      lastCalls.set(lease, { turn, atMs: now() });
    };

    const processes = new Set<LambdaProcess>();
    const onProcess = (process: LambdaProcess): void => void processes.add(process);
    const world = { scheduler, faults, trace, dynamodb: tables.client, maxSkewMs, onCall, onProcess };
    const planned = Array.from(
      { length: choose.integer(3, 6) },
      (_, index): PlannedRun => ({
        id: `run-${index + 1}`,
        startsAtMs: choose.integer(0, 20 * minuteMs),
        leases: choose.shuffle(limits).slice(0, choose.integer(1, 3)),
        callsPerLease: choose.integer(20, 200),
        callIntervalMs: choose.integer(300, 2_000),
      }),
    );
    const executions = planned.map((run) => createExecution(world, run));
    for (const { run, execute } of executions) scheduler.after(run.startsAtMs, () => void execute());

    /** A run that an operator starts right after stopping another one. */
    const spare = createExecution(world, {
      ...defaults,
      id: 'run-spare',
      startsAtMs: 0,
      leases: limits,
      callsPerLease: 60,
    });
    let isSpareStarted = false;
    const startSpare = (): void => {
      if (isEarly || isSpareStarted || chooseLater.chance(0.5)) return;
      isSpareStarted = true;
      scheduler.after(chooseLater.integer(0, 1_000), () => void spare.execute());
    };

    const disturb = (): void => {
      const alive = [...processes].filter((process) => !process.isDead());
      const process = alive[choose.integer(0, alive.length - 1)];
      if (choose.chance(0.4)) process?.kill();
      else if (choose.chance(0.7)) process?.freezeFor(choose.integer(1_000, 10 * minuteMs));
      else faults.cut('dynamodb', choose.integer(1_000, 10 * minuteMs));
    };
    const operate = (): void => {
      const execution = executions[choose.integer(0, executions.length - 1)];
      if (execution === undefined || execution.isComplete()) return;
      if (execution.isOver()) void execution.execute();
      else if (!isEarly && chooseLater.chance(0.3)) execution.abort();
      else {
        void execution.stop();
        startSpare();
      }
    };
    const disturbanceMinutes = choose.integer(30, 120);
    if (kind === 'faults') faults.setShare(choose.pick([0, 0.01, 0.05]));
    for (let count = choose.integer(5, 40); count > 0; count--) {
      scheduler.after(choose.fraction() * disturbanceMinutes * minuteMs, kind === 'faults' ? disturb : operate);
    }
    await scheduler.run(startMs + disturbanceMinutes * minuteMs);

    trace.add('HISTORY', 'all faults end');
    faults.end();
    const all = isSpareStarted ? [...executions, spare] : executions;
    for (let hour = 0; hour < 24; hour++) {
      for (const execution of all) {
        if (execution.isOver() && !execution.isComplete()) void execution.execute();
      }
      await scheduler.run(now() + hourMs);
    }
    for (const { run, isComplete } of all) if (!isComplete()) violate('open', `${run.id} has not ended`);

    const last = createExecution(world, { ...defaults, id: 'run-last', startsAtMs: 0, leases: limits });
    void last.execute();
    await scheduler.run(now() + minuteMs);
    if (!last.isComplete()) violate('open', 'a lease is held, and no run uses it');
    return {
      seed,
      violations,
      calls,
      trace: trace.lines(),
      traceHash: trace.hash(),
      virtualMs: now() - startMs,
    };
  } finally {
    restore();
  }
};

const defaults = { callsPerLease: 5, callIntervalMs: 1_000 } as const;

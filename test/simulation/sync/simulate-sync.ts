import { isDeepStrictEqual } from 'node:util';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Machine } from '../../../emulator/step-functions/definition';
import { createRandom } from '../../../samples/random';
import { AlreadyRunning, leaseMarginMs, leaseMs } from '../../../shared/runs/leases';
import { createFaults, type Faults } from '../faults';
import { createLambdaProcess, type LambdaProcess } from '../lambda-process';
import { createBuckets } from '../models/buckets';
import { createSecrets } from '../models/secrets';
import { createTables } from '../models/tables';
import { createScheduler } from '../scheduler';
import { createTrace } from '../trace';
import { installVirtualTime } from '../virtual-time';
import type { ModelClient } from '../world';
import { activitiesPerJob, type ChangingContent, createContents } from './contents';
import { createDatabase } from './database';
import { type Disturbance, type SyncHistory, startMs, type Trap, trapped } from './history';
import { createIterable } from './iterable';
import { createSyncHandlers, resources, runsOf, type SyncServices, secrets } from './lambdas';
import { checkName, createSyncMachine } from './machine';
import { createNetlife } from './netlife';
import {
  createAgainOracle,
  createApartOracle,
  createJobOracle,
  filesOf,
  foundBy,
  judgeCounts,
  judgeUsers,
  judgeVendors,
  type Summary,
  type SyncViolation,
  summaryOf,
} from './oracles';

/** The result of a history of sync runs. */
export interface SyncResult {
  readonly violations: readonly SyncViolation[];
  readonly trace: readonly string[];
  readonly traceHash: string;
  /** Requests to vendors. */
  readonly calls: number;
  readonly invocations: number;
  readonly virtualMs: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** What each run has written. */
  readonly outputs: ReadonlyMap<string, RunOutput>;
}

/** The files of a run's portals, and its summary. */
interface RunOutput {
  readonly files: Readonly<Record<string, string>>;
  readonly summary: Summary | undefined;
  /** What the run found of the contents that change. */
  readonly found: readonly ChangingContent[];
}

export interface SyncOptions {
  readonly machine: Machine;
  readonly keepsTrace?: boolean;
}

const hourMs = 3_600_000;
/** The clocks of two Lambdas differ by less than `leaseMarginMs`. */
const maxSkewMs = 10_000;
const leaseBoundMs = leaseMs + leaseMarginMs + 2 * maxSkewMs;
/** One direction of a call to a vendor. A request that arrives later than this could overtake a later run. */
const maxLatencyMs = 4_000;
const nothing: RunOutput = { files: {}, summary: undefined, found: [] };
const redriveRounds = 4;
const last = 'last';
/** Longer than a run waits for a profile to show what was sent. */
const lateMs = 100_000;

/** Only the last run, without a fault, and only Netlife, whose contents do not change. */
const undisturbed = (history: SyncHistory, contents: readonly ChangingContent[]): SyncHistory => ({
  ...history,
  contents,
  users: 0,
  lastInput: { netlife: history.lastInput.netlife, after: 'fail' },
  changes: [],
  flips: [],
  traps: [],
  runs: [],
  disturbances: [],
  faultShare: 0,
  endsAtMs: startMs,
});

const withoutSlowest = (faults: Faults): Faults => ({
  ...faults,
  latencyMs: (service) => Math.min(maxLatencyMs, faults.latencyMs(service)),
});

const runHistory = async (history: SyncHistory, { machine, keepsTrace = false }: SyncOptions): Promise<SyncResult> => {
  const scheduler = createScheduler(history.seed, startMs);
  const { now, choose } = scheduler;
  const restore = installVirtualTime(scheduler);
  try {
    const trace = createTrace(now, keepsTrace);
    const faults = withoutSlowest(createFaults(scheduler));
    const world = { scheduler, faults, trace };
    const violations: SyncViolation[] = [];
    const report = (oracle: SyncViolation['oracle'], about: string): void => {
      trace.add('ORACLE', `${oracle}: ${about}`);
      violations.push({ oracle, about });
    };

    const hasFaults = history.faultShare > 0;
    const tables = createTables(scheduler, {
      tables: { [resources.runs]: { key: ['run_id'] }, [resources.operations]: { key: ['kind', 'id'] } },
      maxLagMs: 1_000,
      throttledShare: hasFaults ? 0.002 : 0,
    });
    const buckets = createBuckets(scheduler, { buckets: [resources.artifacts], conflictShare: hasFaults ? 0.01 : 0 });
    const objects = buckets.objects(resources.artifacts);
    const again = createAgainOracle(report);
    const apart = createApartOracle(now, report);
    const jobs = createJobOracle(report);
    const traps = history.traps.map((trap) => ({ ...trap }));
    const s3: ModelClient = {
      send: async (command) => {
        const response = await buckets.client.send(command);
        if (command instanceof PutObjectCommand) {
          const { Key = '' } = command.input;
          again.onWritten(Key, objects.get(Key)?.content.bytes ?? new Uint8Array());
          jobs.onWritten(Key);
        }
        return response;
      },
    };
    const portals = history.portals.map((size) => ({ ...size, activitiesPerJob, isKeyless: !history.isEarly }));
    const netlife = createNetlife(history.seed, portals, now, createContents(history.contents, now));
    const iterable = createIterable(now, history.isEarly || history.seed % 2 === 0 ? 0 : lateMs);
    const database = createDatabase(createRandom(history.seed + 1), now);
    for (let user = 0; user < history.users; user++) database.add();

    let calls = 0;
    let invocations = 0;
    const refused = new Set<string>();
    const services: SyncServices = {
      dynamodb: tables.client,
      s3,
      secrets: createSecrets(secrets).client,
      netlife,
      iterable,
      database,
      hasEnded: (arn) => sync.hasEnded(arn),
      onStored: (key, process) => spring(key, process),
      onVendorCall: ({ runId, process, vendor, emails, job }) => {
        calls += 1;
        again.onSent(runId, emails);
        if (job !== undefined) jobs.onCall(runId, vendor, job);
        if (history.isOperated && !process.name.includes(`/${checkName}-`)) apart.onCall(vendor, process.name);
        if (refused.has(runId)) report('called', `${runId} calls a vendor although another run is in its way`);
      },
    };

    /** A run is only in the way while it runs, and as long as its lease may hold after it. */
    const judgeRefusal = (runId: string, holder: string): void => {
      const { status, stoppedAt = 0 } = sync.find(holder) ?? {};
      if (status !== 'RUNNING' && now() - stoppedAt > leaseBoundMs) {
        report('lease', `${runId} is refused because of ${holder}, which ended ${now() - stoppedAt} ms ago`);
      }
    };

    const sync = await createSyncMachine(world, {
      machine,
      maxSkewMs,
      throttledShare: () => history.faultShare,
      create: (name, runId, process) => {
        invocations += 1;
        const create = createSyncHandlers({ ...world, process }, services, runId)[name];
        if (create === undefined) throw new Error(`There is no Lambda ${name}`);
        if (name === 'plan-run') refused.delete(runId);
        return create();
      },
      onError: (name, runId, error) => {
        if (name !== 'plan-run' || !(error instanceof AlreadyRunning)) return;
        refused.add(runId);
        judgeRefusal(runId, error.holder);
      },
    });

    const started: string[] = [];
    const redrivable = (): readonly string[] =>
      started.filter((id) => ['FAILED', 'ABORTED', 'TIMED_OUT'].includes(sync.find(id)?.status ?? ''));
    const running = (): readonly string[] => started.filter((id) => sync.find(id)?.status === 'RUNNING');
    const oneOf = <T>(all: readonly T[], share: number): T | undefined => all[Math.floor(share * all.length)];

    /** As `pipeline sync stop` does. */
    const stop = async (id: string): Promise<void> => {
      sync.abort(id);
      const process = createLambdaProcess(scheduler, `${id}/operator`);
      await runsOf({ ...world, process }, tables.client)
        .stop(id, now())
        .catch((error: unknown) => trace.add(process.name, String(error)));
    };

    const act = (id: string, { action, redriveAfterMs }: Pick<Trap, 'action' | 'redriveAfterMs'>): void => {
      if (action === 'stop') void stop(id);
      else sync.abort(id);
      if (redriveAfterMs !== undefined) scheduler.after(redriveAfterMs, () => sync.redrive(id));
    };

    /** Springs the first trap that waits for the write of an object. */
    const spring = (key: string, process: LambdaProcess): void => {
      const index = traps.findIndex(({ on, fromMs }) => fromMs <= now() && trapped[on].test(key));
      const trap = traps[index];
      if (trap === undefined) return;
      if (trap.skips > 0) return void traps.splice(index, 1, { ...trap, skips: trap.skips - 1 });
      traps.splice(index, 1);
      trace.add('HISTORY', `${trap.action} after ${key}`);
      if (trap.action === 'crash') process.kill();
      else act(key.split('/')[1] ?? '', trap);
    };

    const disturb = ({ kind, share, ms, service }: Disturbance): void => {
      trace.add('HISTORY', `${kind} ${service} ${ms}`);
      if (kind === 'cut') faults.cut(service, ms);
      else if (kind === 'slow') faults.slow(service, ms);
      else if (kind === 'crash') oneOf(sync.processes(), share)?.kill();
      else if (kind === 'freeze') oneOf(sync.processes(), share)?.freezeFor(ms);
      else if (kind === 'redrive') {
        const id = oneOf(redrivable(), share);
        if (id !== undefined) sync.redrive(id);
      } else {
        const id = oneOf(running(), share);
        if (id === undefined) return;
        act(id, { action: kind });
      }
    };

    const start = (id: string, input: object): void => {
      started.push(id);
      sync.start(id, input);
    };
    for (const { atMs, joins } of history.changes)
      scheduler.after(atMs - startMs, joins ? database.add : database.change);
    for (const { atMs, backAtMs } of history.flips) {
      scheduler.after(atMs - startMs, () => void scheduler.after(backAtMs - atMs, database.flip()));
    }
    for (const { id, atMs, input } of history.runs) scheduler.after(atMs - startMs, () => start(id, input));
    for (const disturbance of history.disturbances) {
      scheduler.after(disturbance.atMs - startMs, () => disturb(disturbance));
    }
    faults.setShare(history.faultShare);
    await scheduler.run(history.endsAtMs);

    trace.add('HISTORY', 'all faults end');
    faults.end();
    traps.length = 0;
    for (let round = 0; round < redriveRounds; round++) {
      for (const id of choose.shuffle(redrivable())) {
        scheduler.after(choose.integer(0, hourMs / 2), () => sync.redrive(id));
      }
      await scheduler.run(now() + 7 * hourMs);
    }
    for (const id of running()) report('open', `${id} still runs`);
    start(last, history.lastInput);
    await scheduler.run(now() + 3 * hourMs);

    const status = sync.find(last)?.status;
    if (status !== 'SUCCEEDED') report('open', `the last run is ${status}: ${sync.find(last)?.cause}`);
    judgeVendors(netlife, iterable, report);
    judgeUsers(database, iterable, report);
    const statuses: Record<string, number> = {};
    const outputs = new Map<string, RunOutput>();
    for (const id of started) {
      const ended = sync.find(id)?.status ?? 'RUNNING';
      statuses[ended] = (statuses[ended] ?? 0) + 1;
      const summary = summaryOf(objects, id);
      const isFull = JSON.stringify(history.runs.find((run) => run.id === id)?.input ?? {}).includes('"full":true');
      if (summary !== undefined) judgeCounts(summary, { runId: id, isFull, isFaultless: history.isOperated }, report);
      const files = filesOf(objects, id);
      const { startedAt = 0, stoppedAt = now() } = sync.find(id) ?? {};
      const found = foundBy({ runId: id, fromMs: startedAt, toMs: stoppedAt, files }, history.contents, {
        objects,
        netlife,
      });
      outputs.set(id, { files, summary, found });
    }
    return {
      violations,
      calls,
      invocations,
      statuses,
      trace: trace.lines(),
      traceHash: trace.hash(),
      virtualMs: now() - startMs,
      outputs,
    };
  } finally {
    restore();
  }
};

/** What differs between a run and the same run in a world in which nothing else happened. */
const differencesOf = (runId: string, { files, summary }: RunOutput, expected: RunOutput): SyncViolation[] => {
  const counted = summary?.netlife?.statistics;
  const counts = expected.summary?.netlife?.statistics;
  // A vendor that cannot be reached leaves some subjects without a key.
  if (runId !== last && counted?.access_keys_failed !== counts?.access_keys_failed) return [];
  const names = [...new Set([...Object.keys(expected.files), ...Object.keys(files)])];
  return [
    ...names
      .filter((name) => expected.files[name] !== files[name])
      .map((name) => ({ oracle: 'files' as const, about: `${runId}: ${name} differs` })),
    ...(isDeepStrictEqual(counted, counts)
      ? []
      : [{ oracle: 'counts' as const, about: `${runId}: ${JSON.stringify(counted)}, not ${JSON.stringify(counts)}` }]),
  ];
};

/**
 * Simulates a history of sync runs, and compares the results of Netlife of each run with those of a run in a world in
 * which nothing else happened, and in which the portals always had the contents that the run found.
 */
export const simulateSync = async (history: SyncHistory, options: SyncOptions): Promise<SyncResult> => {
  const result = await runHistory(history, options);
  const expected = new Map<string, RunOutput>();
  const expectedFor = async ({ found }: RunOutput): Promise<RunOutput> => {
    const name = JSON.stringify(found);
    const known = expected.get(name);
    if (known !== undefined) return known;
    const { outputs } = await runHistory(undisturbed(history, found), { machine: options.machine });
    const output = outputs.get(last) ?? nothing;
    expected.set(name, output);
    return output;
  };
  const complete = [...result.outputs].filter(
    ([id, { summary }]) => id === last || summary?.netlife?.status === 'SUCCEEDED',
  );
  const differences: SyncViolation[] = [];
  for (const [id, output] of complete) differences.push(...differencesOf(id, output, await expectedFor(output)));
  return { ...result, violations: [...result.violations, ...differences] };
};

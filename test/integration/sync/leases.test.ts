import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import { claimMs, leaseMarginMs, leaseMs } from '../../../shared/runs/leases';
import type { RunPlan } from '../../../shared/runs/plan';
import type { Crash } from '../support/interceptor';
import { credentials, type System, startSystem, takeRequests } from './system';

const portal = 'nowandforeverphoto';
const [jobs, subjects] = [4, 10];

let netlife: NetlifeSimulator;
let system: System;
const ended = new Set<string>();
beforeAll(async () => {
  netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [{ name: portal, jobs, activitiesPerJob: 1, subjectsPerJob: subjects }],
    rateLimitPerSecond: 100_000,
  });
  system = await startSystem({
    netlifeUrl: netlife.baseUrl,
    hasEnded: async (executionArn) => ended.has(executionArn),
  });
});
beforeEach(() => takeRequests(netlife.controlUrl));
afterAll(async () => {
  system.stop();
  await netlife.stop();
});

const executionOf = (Name: string) => ({ Id: `arn:execution:${Name}`, Name });
const tryPlan = (Name: string, more: object = {}, turn?: Parameters<System['tryPlan']>[2]) =>
  system.tryPlan({ netlife: { portals: [portal] }, ...more }, executionOf(Name), turn);
const started = (plan: Awaited<ReturnType<typeof tryPlan>>): RunPlan => {
  if (plan === 'crashed' || !('started_at' in plan)) throw new Error('The run was not started');
  return plan;
};
const finish = ({ run_id, execution_arn }: RunPlan) =>
  system.runs.finish(
    { run_id, execution_arn },
    { status: 'SUCCEEDED', message: 'm', reports: [], finishedAtMs: Date.now() },
  );

test('two runs at once: the second waits, so that only one makes calls, and both have all contacts', async () => {
  let working = 0;
  const runToItsEnd = async (name: string): Promise<object> => {
    let plan = await tryPlan(name, { after: 'wait' });
    for (; plan !== 'crashed' && 'waiting' in plan; plan = await tryPlan(name, plan.waiting.input as object)) {
      // The wait of the state machine, shorter.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const run = started(plan);
    working += 1;
    expect(working).toBe(1);
    // A worker's pause before its first call.
    const pause = () => new Promise((resolve) => setTimeout(resolve, 200));
    expect(await system.collect(run, portal, { pause })).toEqual({ done: true, jobs_done: jobs, jobs_total: jobs });
    await system.merge(run, portal);
    expect(working).toBe(1);
    working -= 1;
    await finish(run);
    return JSON.parse((await system.folder(run.run_id).readText(`netlife/${portal}/stats.json`)) ?? 'null');
  };
  const [first, second] = await Promise.all([runToItsEnd('one'), runToItsEnd('two')]);
  for (const report of [first, second]) {
    expect(report).toMatchObject({ jobs_processed: jobs, jobs_failed: 0, api_calls_failed: 0 });
  }
  expect(second).toMatchObject({ contacts_written: Object(first).contacts_written });
  expect(Object(first).contacts_written).toBeGreaterThan(0);
});

test('a run whose execution was stopped in the console, or timed out, holds no lease, and its workers make no call', async () => {
  const stopped = started(await tryPlan('stopped'));
  await expect(tryPlan('next')).rejects.toMatchObject({ name: 'AlreadyRunning', holder: 'stopped' });
  ended.add(stopped.execution_arn);
  const next = started(await tryPlan('next'));
  expect(await system.runs.read('stopped')).toMatchObject({ status: 'STOPPED', message: 'Its execution has ended' });
  await expect(system.collect(stopped, portal)).rejects.toMatchObject({ name: 'AlreadyRunning' });
  expect(await takeRequests(netlife.controlUrl)).toEqual([]);
  await expect(tryPlan('third')).rejects.toMatchObject({ name: 'AlreadyRunning', holder: 'next' });
  await finish(next);
});

test('a worker that was frozen until another run took its lease makes no further call', async () => {
  const run = started(await tryPlan('frozen'));
  let nowMs = Date.now();
  const clock = () => nowMs;
  let other: RunPlan | undefined;
  const pause = async () => {
    nowMs += leaseMs + leaseMarginMs + claimMs;
    other = started(await tryPlan('thawed', {}, { clock }));
  };
  await expect(system.collect(run, portal, { clock, pause })).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect(await takeRequests(netlife.controlUrl)).toEqual([]);
  if (other === undefined) throw new Error('The other run was not planned');
  await finish(other);
});

test('a worker that was frozen, but whose lease nobody took, continues', async () => {
  const run = started(await tryPlan('slow'));
  let nowMs = Date.now();
  const clock = () => nowMs;
  const pause = async () => (nowMs += leaseMs + claimMs);
  expect(await system.collect(run, portal, { clock, pause })).toMatchObject({ done: true });
  await finish(run);
});

/** The holder dies at each write: of its leases, of its start, of the start of a turn, of its progress. */
describe.each<[string, Crash, 'plan' | 'collect']>(
  (['before', 'after'] as const).flatMap((when) => [
    ...[1, 2].map((nth): [string, Crash, 'plan'] => [
      `${when} write ${nth} of PlanRun`,
      { when, call: 'UpdateItem', nth },
      'plan',
    ]),
    ...[1, 2, 3].map((nth): [string, Crash, 'collect'] => [
      `${when} write ${nth} of CollectPortal`,
      { when, call: 'UpdateItem', nth },
      'collect',
    ]),
  ]),
)('a run that dies %s', (what, crash, step) => {
  const name = what.replaceAll(' ', '-');
  let clockMs = Date.now();
  const clock = () => clockMs;

  test('can be tried again at once, and blocks others for minutes at most', async () => {
    if (step === 'plan') {
      expect(await tryPlan(name, {}, { crash, clock })).toBe('crashed');
    } else {
      const run = started(await tryPlan(name, {}, { clock }));
      expect(await system.collect(run, portal, { crash, clock })).toBe('crashed');
    }
    // The state machine repeats the state.
    const again = started(await tryPlan(name, {}, { clock }));
    if (step === 'collect')
      await system.collect(again, portal, { clock, crash: { when: 'after', call: 'UpdateItem', nth: 1 } });
    await expect(tryPlan(`${name}-other`, {}, { clock })).rejects.toMatchObject({ name: 'AlreadyRunning' });
    clockMs += leaseMs + leaseMarginMs;
    const other = started(await tryPlan(`${name}-other`, {}, { clock }));
    await expect(system.collect(again, portal, { clock })).rejects.toMatchObject({ name: 'AlreadyRunning' });
    await finish(other);
  });
});

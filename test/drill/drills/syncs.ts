import type { Drill } from '../drill';
import type { DrillStage } from '../stage';

const portal = 'legacyphoto';
/** The portal with eight jobs. */
const largePortal = 'nowandforeverphoto';
const usualUsers = 200;
/** As many runs as have a usual number of users. */
const usualRuns = 3;
const unusableRows = 30;

const iterableOnly = { dry_run: true, iterable: {} };

/** Starts a run, and waits for its end. @returns its id */
const run = async (stage: DrillStage, input: unknown, expected: string): Promise<string> => {
  const id = await stage.startRun(input);
  await stage.until(`the run ${id} ends`, async () => (await stage.statusOfRun(id)) !== 'RUNNING');
  const status = await stage.statusOfRun(id);
  if (status !== expected) throw new Error(`The run ${id} ended ${status} instead of ${expected}.`);
  return id;
};

/** Statements that add customers with a page view of today each, from an id on. */
const addCustomers = (fromId: number, count: number, email: (id: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => fromId + index).flatMap((id) => [
    `INSERT INTO customers (id, email, plan_type) VALUES (${id}, '${email(id)}', 'pro')`,
    `INSERT INTO page_views (user_id, page, event_time) VALUES (${id}, 'pricing', datetime('now', '-1 hour'))`,
  ]);
const removeCustomers = (fromId: number): string[] => [
  `DELETE FROM page_views WHERE user_id >= ${fromId}`,
  `DELETE FROM customers WHERE id >= ${fromId}`,
];
const validId = 1_000;
const unusableId = 5_000;

const untilRecovery = async (): Promise<void> => undefined;

/** Drills of the alarms on sync runs. */
export const syncDrills: readonly Drill[] = [
  {
    alarms: { 'sync-failed': /audience/ },
    cause: 'a run is started with an invalid input',
    break: async (stage) => ({ run: await run(stage, { netlife: { audience: 'nobody' } }, 'FAILED') }),
    fix: untilRecovery,
  },
  {
    alarms: { 'sync-partial': /PARTIAL.*1 jobs? failed/ },
    cause: 'a portal refuses one of its jobs',
    break: async (stage) => {
      const match = { portal: largePortal, call: 'subjects' };
      await stage.setFaults('netlife', { kind: 'client_error', match, times: 1 });
      return { run: await run(stage, { netlife: { portals: [largePortal] } }, 'SUCCEEDED') };
    },
    fix: async (stage) => void (await stage.setFaults('netlife')),
  },
  {
    alarms: { 'netlife-collect-rejects-rows': /rows rejected/ },
    cause: 'a portal lists subjects that cannot be read',
    break: async (stage) => {
      const rows = Array.from({ length: unusableRows }, () => ({ uuid: '' }));
      const match = { portal, call: 'subjects' };
      await stage.setFaults('netlife', { kind: 'garbage', match, body: JSON.stringify(rows) });
      return { run: await run(stage, { netlife: { portals: [portal] } }, 'SUCCEEDED') };
    },
    fix: async (stage) => void (await stage.setFaults('netlife')),
  },
  {
    alarms: { 'iterable-extract-rejects-rows': /rows rejected/ },
    cause: 'the database has users without a usable e-mail address',
    break: async (stage) => {
      stage.changeUsers(...addCustomers(unusableId, unusableRows, (id) => `no address ${id}`));
      return { run: await run(stage, iterableOnly, 'SUCCEEDED') };
    },
    fix: async (stage) => stage.changeUsers(...removeCustomers(unusableId)),
  },
  {
    alarms: { 'sync-users-fell': /less than half of the usual/ },
    cause: 'most users are missing in the database',
    break: async (stage) => {
      stage.changeUsers(...addCustomers(validId, usualUsers, (id) => `user-${id}@example.com`));
      for (let night = 0; night < usualRuns; night++) await run(stage, iterableOnly, 'SUCCEEDED');
      await stage.aws.advance(60);
      stage.changeUsers(...removeCustomers(validId + usualUsers / 4));
      return { run: await run(stage, iterableOnly, 'SUCCEEDED') };
    },
    fix: async (stage) => stage.changeUsers(...removeCustomers(validId)),
  },
  {
    alarms: { 'no-sync-run': /drill-/ },
    cause: 'the schedule of the syncs is off',
    break: async (stage) => {
      await stage.aws.advance(26 * 60);
      return {};
    },
    fix: async (stage) => void (await run(stage, iterableOnly, 'SUCCEEDED')),
  },
  // The last one: until its lease ends, no other run may use the portal.
  {
    alarms: { 'sync-timed-out': /TIMED_OUT/ },
    cause: 'a portal does not respond for a day',
    break: async (stage) => {
      await stage.setFaults('netlife', { kind: 'slow', latency_ms: 600_000 });
      const id = await stage.startRun({ netlife: { portals: [portal] } });
      await stage.aws.advance(24 * 60 + 1);
      return { run: id };
    },
    fix: async (stage) => {
      await stage.setFaults('netlife');
      await stage.aws.kill(stage.nameOf('netlife-collect'));
    },
  },
];

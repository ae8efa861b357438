import { Logger } from '@aws-lambda-powertools/logger';
import { collectPortal } from '../../../../lambdas/netlife-collect/collect-portal';
import type { NetlifePlan } from '../../../../shared/netlife/input';
import { createPortalParts } from '../../../../shared/netlife/portal-parts';
import { createProgress } from '../../../../shared/runs/progress';
import { memoryFolder } from '../../../support/memory-folder';
import { recordMetrics } from '../../../support/metrics';
import { clientAt, portalName, startPortal } from '../../../support/netlife';

const run: NetlifePlan = {
  run_id: 'run-1',
  dry_run: false,
  started_at: '2026-11-22T01:02:03.000Z',
  execution_arn: 'arn:execution:e1',
  redrive_count: 0,
  netlife: {
    portals: [portalName],
    audience: 'both',
    contact_filter: 'any',
    check_registered_users: true,
    registered_only: false,
    create_access_keys: false,
    max_access_key_age_days: 7,
    job_ids: [],
    consent: 'SUBSCRIBE',
  },
};

const logger = new Logger({ logLevel: 'SILENT' });
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const stop of cleanups.splice(0).toReversed()) await stop();
});

const start = async (
  recordProgress: () => Promise<number | undefined> = async () => Number.POSITIVE_INFINITY,
  jobIds: readonly string[] = [],
) => {
  const netlife = await startPortal({ jobs: 1, subjects: 60 });
  const client = clientAt(netlife.baseUrl);
  cleanups.push(netlife.stop, () => client.close());
  const { folder, objects } = memoryFolder();
  const parts = createPortalParts(folder, portalName);
  let nowMs = 0;
  let isSpent = () => false;
  const progress = createProgress({
    runs: { recordProgress },
    run,
    counterName: `netlife/${portalName}`,
    budget: { isSpent: () => isSpent() },
    logger,
    // Each read of the clock is 2 s after the one before, so every snapshot can be written.
    now: () => (nowMs += 2_000),
  });
  const metrics = recordMetrics();
  const lines: unknown[] = [];
  jest.spyOn(logger, 'warn').mockImplementation((...line) => void lines.push(line));
  const collect = (isTimeUp = () => false) => {
    isSpent = isTimeUp;
    return collectPortal({
      client,
      run: { ...run, netlife: { ...run.netlife, job_ids: [...jobIds] } },
      attempt: 'e1.0',
      parts,
      knownKeys: { open: async () => ({ find: () => undefined, add: () => undefined, save: async () => undefined }) },
      progress,
      logger,
      metrics: metrics.recorder,
    });
  };
  return { parts, objects, metrics, lines, collect };
};

test('a stopped run ends within a job, and keeps its written parts', async () => {
  let writes = 0;
  const { collect, objects } = await start(async () => (++writes < 5 ? Number.POSITIVE_INFINITY : undefined));
  await expect(collect()).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  const written = [...objects.keys()].filter((path) => path.includes('/job/'));
  expect(written).toEqual([expect.stringMatching(/\/00000\.json$/)]);
});

test('a part that another invocation wrote ends the turn, because the parts of two invocations do not match', async () => {
  const { collect, objects, parts } = await start();
  const { writePart } = parts;
  const theirs = JSON.stringify({ through: 'elsewhere', csv: '', statistics: {}, rejected: [] });
  jest.spyOn(parts, 'writePart').mockImplementation((path, part) => {
    objects.set(path, theirs);
    return writePart(path, part);
  });
  await expect(collect()).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
});

test('an existing part whose response was lost is accepted', async () => {
  const { collect, parts } = await start();
  const { writePart } = parts;
  jest.spyOn(parts, 'writePart').mockImplementation(async (path, part) => {
    await writePart(path, part);
    return writePart(path, part);
  });
  await expect(collect()).resolves.toMatchObject({ done: true, jobs_done: 1 });
});

test('written contacts are counted once, by the turn that wrote them', async () => {
  const { collect, metrics } = await start();
  await collect();
  const contacts = metrics.values.get('SyncContactsWritten');
  expect(contacts).toBeGreaterThan(0);
  await collect();
  expect(metrics.values.get('SyncContactsWritten')).toBe(contacts);
  expect(metrics.values.has('SyncRejectedRows')).toBe(true);
});

test('jobs that are not on sale are logged, and zero contacts are counted', async () => {
  const { collect, metrics, lines } = await start(undefined, ['no-job', 'no-job', 'none-either']);
  await expect(collect()).resolves.toEqual({ done: true, jobs_done: 0, jobs_total: 0 });
  expect(lines).toEqual([['jobs not on sale', { jobs: 2, job_ids: ['no-job', 'none-either'] }]]);
  expect(metrics.values.get('SyncContactsWritten')).toBe(0);
});

test('when the time is up within the list of activities, another turn resumes', async () => {
  const { collect, objects } = await start();
  await expect(collect(() => true)).resolves.toEqual({ done: false, jobs_done: 0, jobs_total: 0 });
  expect([...objects.keys()]).toEqual([]);
  await expect(collect()).resolves.toMatchObject({ done: true, jobs_done: 1 });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIdFile } from '../../../ops/commands/id-file';
import { operate } from './operators';
import { startWorkedStage, type WorkedStage } from './worked-stage';

let world: WorkedStage;
beforeEach(async () => {
  world = await startWorkedStage();
});
afterEach(() => world.stop());

const replay = (...args: readonly string[]) => world.operate(['orders', 'replay', ...args]);
const replayed = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await replay(...args, '--yes', '--json');
  return { exitCode, stderr, document: JSON.parse(stdout) };
};
const outcomesOf = ({ orders }: { orders: { order_id: string; outcome: string }[] }) =>
  Object.fromEntries(orders.map(({ order_id, outcome }) => [order_id, outcome]));
const fileOf = (...lines: readonly string[]): string => {
  const path = join(world.stage.localStateDirectory, 'list.ids');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};

describe('from Qualia', () => {
  it('downloads orders again, and posts those that changed', async () => {
    await world.addProcessed('QO-1', 'QO-2');
    await world.pipeline.qualia.change('QO-1', { purpose: 'changed' });
    const { exitCode, stdout, stderr } = await replay('QO-1', 'QO-2', 'QO-1', '--yes');
    expect({ exitCode }).toEqual({ exitCode: 0 });
    expect(stderr).toContain(
      'QO-1   PROCESSED\nQO-2   PROCESSED\nEach is downloaded again and posted again if anything has changed',
    );
    const order = await world.read('QO-1');
    expect(order).toMatchObject({ status: 'PROCESSED', notification_type: 'replay' });
    expect(stdout.split('\n').sort()).toEqual(
      [
        `QO-1  posted       ${order?.request_id}`,
        `QO-2  unchanged    ${(await world.read('QO-2'))?.request_id}`,
        'RESULT     ORDERS  CAUSE',
        'posted     1',
        'unchanged  1',
        '2 new rounds started in dev on this machine.',
        '',
      ].sort(),
    );
    expect(await world.acceptedPostsOf('QO-1')).toMatchObject({ posts: 2, body: { purpose: 'changed' } });
    expect(await world.acceptedPostsOf('QO-2')).toMatchObject({ posts: 1 });
  });

  it('reports the error code of an order that fails, and exits 1', async () => {
    await world.addProcessed('QO-1');
    const { exitCode, document } = await replayed('QO-1', 'QO-unknown');
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({
      requested: 2,
      started: 2,
      failed: 1,
      aborted: false,
      stopped: null,
      source: 'qualia',
      force: false,
      outcomes: [
        { outcome: 'unchanged', cause: null, orders: 1 },
        { outcome: 'failed', cause: 'ORDER_NOT_FOUND', orders: 1 },
      ],
      left: [],
    });
    expect(document.orders).toContainEqual({
      order_id: 'QO-unknown',
      outcome: 'failed',
      error_code: 'ORDER_NOT_FOUND',
      started: true,
      request_id: (await world.read('QO-unknown'))?.request_id,
      round: (await world.read('QO-unknown'))?.round,
    });
  });

  it('replays orders that failed since then after the operator confirms', async () => {
    await replayed('QO-1');
    await world.addProcessed('QO-2');
    await world.pipeline.qualia.add({ _id: 'QO-1', order_number: 'MKT-QO-1' });
    const args = ['orders', 'replay', '--status', 'FAILED', '--since', '1h'];
    const { exitCode, stdout, stderr } = await world.operate(args, { answer: 'y\n' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('posted  1\n') });
    expect(stderr).toContain('Start 1 new round in dev on this machine? [y/N]');
    expect((await replayed('--status', 'FAILED', '--since', '1h')).document).toMatchObject({ requested: 0 });
  });

  it.each([['n\n'], ['']])('does nothing if the operator types %j', async (answer) => {
    await world.addProcessed('QO-1');
    const before = await world.read('QO-1');
    const { exitCode, stdout } = await world.operate(['orders', 'replay', 'QO-1'], { answer });
    expect(exitCode).toBe(130);
    expect(stdout).toBe('0 new rounds started in dev on this machine, aborted with 1 not started.\n');
    expect(await world.read('QO-1')).toEqual(before);
  });

  it('exits 1 if no round can be started', async () => {
    const { outputs, queues } = world.stage;
    const pipeline = { ...outputs['dev-OrderPipeline'], DownloadQueueUrl: `${queues.download.url}-gone` };
    world.stage.announce({ outputs: { ...outputs, 'dev-OrderPipeline': pipeline } });
    const { exitCode, document } = await replayed('QO-1', 'QO-2');
    expect(exitCode).toBe(1);
    const error = expect.stringContaining('QueueDoesNotExist');
    expect(document).toMatchObject({ started: 0, failed: 2, left: ['QO-1', 'QO-2'] });
    expect(document.orders).toEqual(
      ['QO-1', 'QO-2'].map((order_id) => ({ order_id, outcome: 'not_started', started: false, error })),
    );
  });
});

describe('from the stored payload', () => {
  it('maps the newest round again, without a call to Qualia', async () => {
    await world.addProcessed('QO-1');
    await world.pipeline.qualia.change('QO-1', { purpose: 'not downloaded' });
    const before = await world.read('QO-1');
    const calls = await world.pipeline.qualia.calls();
    const { exitCode, document } = await replayed('--from', 'raw', 'QO-1');
    expect({ exitCode, outcomes: outcomesOf(document) }).toEqual({ exitCode: 0, outcomes: { 'QO-1': 'unchanged' } });
    const after = await world.read('QO-1');
    expect(after).toMatchObject({ status: 'PROCESSED', s3_key: before && 's3_key' in before && before.s3_key });
    expect(after?.round).not.toBe(before?.round);
    expect(await world.pipeline.qualia.calls()).toBe(calls);
  });

  it('maps an older round on request', async () => {
    await world.addProcessed('QO-1');
    const older = await world.read('QO-1');
    await world.pipeline.qualia.change('QO-1', { purpose: 'newer' });
    await replayed('QO-1');
    const { document } = await replayed('--from', 'raw', '--round', String(older?.round), 'QO-1');
    expect(outcomesOf(document)).toEqual({ 'QO-1': 'posted' });
    expect(await world.acceptedPostsOf('QO-1')).toMatchObject({ posts: 3, body: { purpose: 'Refinance' } });
  });

  it('refuses to replace newer bytes with older ones', async () => {
    await world.addProcessed('QO-1');
    const older = await world.read('QO-1');
    await world.pause();
    await world.pipeline.startRound('QO-1');
    for (const round of [[], ['--round', String(older?.round)]]) {
      const { exitCode, document } = await replayed('--from', 'raw', ...round, 'QO-1');
      expect(exitCode).toBe(1);
      expect(document.orders).toMatchObject([
        { error: 'Order QO-1 is being downloaded: replay it after the download.' },
      ]);
    }
  });

  it.each([
    ['an unknown order', 'QO-404', [], 'There is no order QO-404.'],
    [
      'an order without a stored payload',
      'QO-unknown',
      [],
      'Order QO-unknown has no stored payload in its newest round',
    ],
    ['a round that is not stored', 'QO-1', ['--round', '000000000000001-000000000000'], 'the newest are 0'],
  ])('refuses %s', async (_case, id, args, expected) => {
    await world.addProcessed('QO-1');
    await replayed('QO-unknown');
    const { exitCode, document } = await replayed('--from', 'raw', ...args, id);
    expect({ exitCode, error: document.orders[0].error }).toEqual({
      exitCode: 1,
      error: expect.stringContaining(expected),
    });
  });
});

describe('--force', () => {
  it.each([[[]], [['--from', 'raw']]])('posts unchanged orders with a new idempotency key: %j', async (from) => {
    await world.addProcessed('QO-1');
    for (const posts of [2, 3]) {
      const { exitCode, document } = await replayed('--force', ...from, 'QO-1');
      expect({ exitCode, outcomes: outcomesOf(document) }).toEqual({ exitCode: 0, outcomes: { 'QO-1': 'posted' } });
      expect(await world.acceptedPostsOf('QO-1')).toMatchObject({ posts });
    }
    expect(outcomesOf((await replayed(...from, 'QO-1')).document)).toEqual({ 'QO-1': 'unchanged' });
  });

  it('posts again only orders processed since a backup', async () => {
    await world.addProcessed('QO-1', 'QO-2');
    await replayed('QO-failed');
    const since = new Date(Date.now() - 60_000).toISOString();
    const later = { now: () => Date.now() + 3_600_000 };
    const chosen = ['orders', 'replay', '--force', '--from', 'raw', '--status', 'PROCESSED', '--yes', '--since'];
    const none = await world.operate([...chosen, '30m', '--json'], later);
    expect(JSON.parse(none.stdout)).toMatchObject({ requested: 0 });
    const { exitCode, stdout } = await world.operate([...chosen, since, '--json']);
    expect(exitCode).toBe(0);
    expect(outcomesOf(JSON.parse(stdout))).toEqual({ 'QO-1': 'posted', 'QO-2': 'posted' });
    expect(await world.acceptedPostsOf('QO-1')).toMatchObject({ posts: 2 });
  });

  it.each([
    ['y\ny\n', 0, 2],
    ['y\nn\n', 130, 1],
    ['y\n', 130, 1],
    ['n\n', 130, 1],
  ])('asks twice: %j', async (answer, exitCode, posts) => {
    await world.addProcessed('QO-1');
    const outcome = await world.operate(['orders', 'replay', '--force', 'QO-1'], { answer });
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.stderr).toContain('Start 1 new round in dev on this machine? [y/N]');
    if (answer.startsWith('y'))
      expect(outcome.stderr).toContain('Really post 1 order, even if nothing has changed? [y/N]');
    expect(await world.acceptedPostsOf('QO-1')).toMatchObject({ posts });
  });
});

describe('many orders', () => {
  const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `QO-${index}`);

  it('starts all of them, and leaves no --rest file', async () => {
    await world.addProcessed(...ids(12));
    const rest = join(world.stage.localStateDirectory, 'rest.ids');
    const list = fileOf('# twelve orders', ...ids(12), 'QO-3 # again');
    const { exitCode, document, stderr } = await replayed('--ids', list, '--rest', rest, '--rate', '100');
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { requested: 12, started: 12, left: [] } });
    expect(document.rest_file).toBeNull();
    expect(stderr).toContain(`The first 3 must end before others start. Ids that are not started are kept in ${rest}.`);
    expect(() => readIdFile(rest)).toThrow('cannot be read (ENOENT)');
  });

  it('stops after the first three if all fail, and can be continued', async () => {
    const { exitCode, stdout, stderr } = await replay('--ids', fileOf(...ids(20)), '--yes');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('Ids that are not started are kept'),
    });
    expect(stdout).toContain('RESULT  ORDERS  CAUSE\nfailed  3       ORDER_NOT_FOUND\n');
    expect(stdout).toContain('Stopped: more than 10 % of the orders failed.\n');
    expect(stdout).toContain('3 new rounds started in dev on this machine, 3 failed, 17 not started.\n');
    const [, path = ''] = /To continue: pipeline --local orders replay --ids (\S+) --rest \1\n/.exec(stdout) ?? [];
    expect(readIdFile(path)).toEqual(ids(20).slice(3));
    for (const id of ids(20).slice(3)) expect(await world.read(id)).toBeUndefined();

    await world.pipeline.qualia.add(...ids(20).map((id) => ({ _id: id, order_number: id })));
    const continued = await replayed('--ids', path, '--rest', path, '--rate', '100');
    expect(continued).toMatchObject({ exitCode: 0, document: { started: 17, left: [] } });
  });

  it('stops when a circuit opens', async () => {
    await world.addProcessed('QO-0', 'QO-1', 'QO-2');
    await world.pause();
    // Only a circuit that opens after the replay has begun stops it, and a busy machine takes seconds to begin.
    for (let second = 1; second <= 30; second++) {
      world.stage.logs.download.write(Date.now() + second * 1_000, { service: 'processing', CircuitOpen: [1, 1] });
      world.stage.logs.download.write(Date.now() + second * 1_000, { service: 'iterable-push', CircuitOpen: 1 });
    }
    const { exitCode, stdout } = await world.operate(
      ['orders', 'replay', '--from', 'raw', '--ids', fileOf(...ids(5)), '--yes'],
      { interruptWhen: (output) => output.includes('Waiting up to 30 s for 3 orders in flight') },
    );
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Stopped: the circuit of the worker processing is open');
    expect(stdout).toContain('under way  3\n');
    // The orders are replayed concurrently, so their sequence varies.
    const [, inFlight = ''] = /^Still in flight: (.+)\.$/m.exec(stdout) ?? [];
    expect(inFlight.split(' ').sort()).toEqual(['QO-0', 'QO-1', 'QO-2']);
    expect(stdout).toMatch(/To continue: pipeline --local orders replay --from raw --ids (\S+) --rest \1\n/);
  });

  it('starts no more orders after Ctrl-C', async () => {
    await world.pause();
    const args = ['orders', 'replay', ...ids(5), '--yes', '--json'];
    const { exitCode, stdout } = await world.operate(args, {
      interruptWhen: async () => (await Promise.all(ids(3).map(world.read))).every((order) => order !== undefined),
    });
    expect(exitCode).toBe(130);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ started: 3, aborted: true, stopped: 'interrupted', left: ['QO-3', 'QO-4'] });
    expect(outcomesOf(document)).toEqual({ 'QO-0': 'under_way', 'QO-1': 'under_way', 'QO-2': 'under_way' });
    expect(readIdFile(document.rest_file)).toEqual(['QO-3', 'QO-4']);
  });

  it('does not exceed its rate', async () => {
    await world.addProcessed(...ids(3));
    const startedMs = performance.now();
    expect((await replayed('--ids', fileOf(...ids(3)), '--rate', '2')).exitCode).toBe(0);
    expect(performance.now() - startedMs).toBeGreaterThan(995);
  });
});

test.each([
  [[], 'give order ids, --ids, or --status with --since'],
  [['QO-1', '--status', 'FAILED', '--since', '1h'], 'give only one of order ids, --ids, and --status with --since'],
  [['QO-1', '--ids', 'some.ids'], 'give only one of order ids, --ids, and --status with --since'],
  [['--status', 'FAILED'], '--status needs --since'],
  [['--since', '1h'], '--since needs --status FAILED or PROCESSED'],
  [['--status', 'NOTIFIED', '--since', '1h'], '--status "NOTIFIED" must be FAILED or PROCESSED'],
  [['QO-1', '--from', 'memory'], '--from "memory" must be qualia or raw'],
  [['QO-1', '--round', '000000000000001-000000000000'], '--round needs --from raw'],
  [['QO-1', '--from', 'raw', '--round', 'newest'], '--round "newest" must be a round'],
  [['QO-1', 'QO-2', '--from', 'raw', '--round', '000000000000001-000000000000'], '--round needs exactly one order id'],
])('refuses %j', async (args, expected) => {
  const { exitCode, stderr } = await operate(['orders', 'replay', ...args]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(expected);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mapping } from '../../../shared/internal-api/mapping';
import { qualiaOrder, qualiaResponse } from '../../support/qualia-orders';
import { operate } from './operators';
import { startWorkedStage, type WorkedStage } from './worked-stage';

/** Changes the result of the mapping, like the mapping before a fix. */
let mockEarlier: ((mapping: Mapping) => Mapping) | undefined;
jest.mock('../../../shared/internal-api/mapping', () => {
  const actual = jest.requireActual('../../../shared/internal-api/mapping');
  return {
    ...actual,
    mapOrder: (source: unknown) => {
      const mapping: Mapping = actual.mapOrder(source);
      return mockEarlier ? mockEarlier(mapping) : mapping;
    },
  };
});

let world: WorkedStage;
beforeEach(async () => {
  world = await startWorkedStage();
});
afterEach(async () => {
  mockEarlier = undefined;
  await world.stop();
});

const run = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await world.operate([...args, '--json']);
  return { exitCode, stderr, document: stdout === '' ? undefined : JSON.parse(stdout) };
};

/** A mapping with a wrong price. */
const wrongPrice = (mapping: Mapping): Mapping =>
  mapping.kind === 'mapped' && mapping.order.price === 2
    ? { ...mapping, order: { ...mapping.order, price: 1 } }
    : mapping;

describe('mapping try', () => {
  it('prints the body that would be posted, and warnings, and posts nothing', async () => {
    await world.addProcessed('QO-1');
    await world.pipeline.qualia.change('QO-1', { due_date: 'soon' });
    await run('orders', 'replay', 'QO-1', '--yes');
    const accepted = await world.acceptedPostsOf('QO-1');
    const { exitCode, stdout, stderr } = await world.operate(['mapping', 'try', 'QO-1']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(accepted.body);
    expect(stderr).toMatch(/^s3:\/\/raw-.*\/raw\/QO-1\/\d{15}-[0-9a-f]{12}\.json\nwarning: BAD_DATE in due_date\n$/);
    expect(await world.acceptedPostsOf('QO-1')).toEqual(accepted);
  });

  it('maps an older round, and the newest one of an order without an item', async () => {
    await world.addProcessed('QO-1');
    const older = await world.read('QO-1');
    await world.pipeline.qualia.change('QO-1', { purpose: 'newer' });
    await run('orders', 'replay', 'QO-1', '--yes');
    expect((await run('mapping', 'try', 'QO-1')).document).toMatchObject({ body: { purpose: 'newer' }, warnings: [] });
    const round = ['--round', String(older?.round)];
    expect((await run('mapping', 'try', 'QO-1', ...round)).document).toMatchObject({ body: { purpose: 'Refinance' } });
  });

  it.each([
    [{ properties: [{ state: 'ZZ' }] }, 'UNKNOWN_STATE: the state "ZZ" is not one of the 54 jurisdictions.'],
    [{ order_number: null }, 'BAD_PAYLOAD: the payload contains no order.'],
  ])('reports why there is no body: %j', async (fields, expected) => {
    const file = join(world.stage.localStateDirectory, 'payload.json');
    writeFileSync(file, qualiaResponse(qualiaOrder(fields)));
    expect(await run('mapping', 'try', '--file', file)).toMatchObject({
      exitCode: 1,
      document: { error: { message: expected, kind: 'failed', file } },
    });
  });

  it('maps a file without a stage', async () => {
    const file = join(world.stage.localStateDirectory, 'payload.json');
    writeFileSync(file, qualiaResponse());
    const { exitCode, stdout } = await operate(['mapping', 'try', '--file', file]);
    expect({ exitCode, body: JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      body: { productType: 'title_search' },
    });
  });

  it.each([
    [['QO-404'], 1, 'Order QO-404 has no stored payload.'],
    [['QO-404', '--round', '000000000000001-000000000000'], 1, 'has no stored payload for round'],
    [['--file', 'nowhere.json'], 2, '--file nowhere.json cannot be read (ENOENT).'],
    [[], 2, 'give an order id or --file'],
    [['QO-1', '--file', 'some.json'], 2, 'give either an order id or --file, not both'],
    [['--file', 'some.json', '--round', '000000000000001-000000000000'], 2, '--round needs an order id'],
  ])('refuses %j', async (args, expectedExit, expected) => {
    const { exitCode, stderr } = await world.operate(['mapping', 'try', ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: expectedExit, stderr: expect.stringContaining(expected) });
  });
});

describe('mapping diff', () => {
  const since = ['--since', '1h'];

  it('finds the orders that a fixed mapping changes, so that exactly these are posted again', async () => {
    mockEarlier = wrongPrice;
    await world.addProcessed('QO-1', 'QO-2', 'QO-3');
    await world.pipeline.qualia.change('QO-2', { price: 2 });
    await run('orders', 'replay', 'QO-2', '--yes');
    const out = join(world.stage.localStateDirectory, 'affected.ids');
    expect((await run('mapping', 'diff', ...since, '--out', out)).document).toMatchObject({ changed: 0, same: 3 });
    expect(readFileSync(out, 'utf8')).toBe('');

    mockEarlier = undefined;
    const { exitCode, document } = await run('mapping', 'diff', ...since, '--out', out);
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({ complete: true, listed: 4, changed: 1, same: 2, fields: { price: ['QO-2'] } });
    expect(readFileSync(out, 'utf8')).toBe('QO-2 # price\n');

    const replay = await run('orders', 'replay', '--from', 'raw', '--ids', out, '--yes');
    expect(replay).toMatchObject({ exitCode: 0, document: { outcomes: [{ outcome: 'posted', orders: 1 }] } });
    expect(await world.acceptedPostsOf('QO-2')).toMatchObject({ posts: 3, body: { price: 2 } });
    for (const id of ['QO-1', 'QO-3']) expect(await world.acceptedPostsOf(id)).toMatchObject({ posts: 1 });
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({ changed: 0, same: 3 });
  });

  it('lists an order that failed and can be mapped now, and one that can no longer be mapped', async () => {
    mockEarlier = () => ({ kind: 'unknown_state', stateCode: 'CA' });
    await world.pipeline.qualia.add({ ...qualiaOrder(), _id: 'QO-1', order_number: 'MKT-1' });
    await run('orders', 'replay', 'QO-1', '--yes');
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({ changed: 0, not_posted: 1 });
    mockEarlier = undefined;
    await world.addProcessed('QO-2');
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({ fields: { '(was FAILED)': ['QO-1'] } });
    mockEarlier = () => ({ kind: 'unknown_state', stateCode: 'CA' });
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({
      changed: 0,
      same: 0,
      not_posted: 1,
      unmappable: { UNKNOWN_STATE: ['QO-2'] },
    });
  });

  it('counts an order posted before fields were recorded as one with unknown fields', async () => {
    await world.addProcessed('QO-1');
    await world.removeAttributes('QO-1', 'posted_fields', 'processed_checksum');
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({ fields: { '(unknown)': ['QO-1'] } });
  });

  it('lists missing payloads, and payloads with a wrong checksum', async () => {
    await world.addProcessed('QO-1', 'QO-2');
    for (const id of ['QO-1', 'QO-2']) {
      await world.pipeline.overwritePayload(`raw/${id}/000000000000001-000000000000.json`, Buffer.from('{}'));
    }
    const [gone, damaged] = [await world.read('QO-1'), await world.read('QO-2')];
    if (gone && 's3_key' in gone) await world.pipeline.deletePayload(String(gone.s3_key));
    if (damaged && 's3_key' in damaged) {
      await world.pipeline.overwritePayload(String(damaged.s3_key), Buffer.from('{}'));
    }
    expect((await run('mapping', 'diff', ...since)).document).toMatchObject({
      unmappable: { PAYLOAD_MISSING: ['QO-1'], CHECKSUM_MISMATCH: ['QO-2'] },
    });
  });

  it('omits payloads that were stored before --since', async () => {
    await world.addProcessed('QO-1');
    const later = await world.operate(['mapping', 'diff', '--since', '1h', '--json'], {
      now: () => Date.now() + 2 * 3_600_000,
    });
    expect(JSON.parse(later.stdout)).toMatchObject({ listed: 1, changed: 0, same: 0, not_posted: 0 });
  });

  it('stops at Ctrl-C, and writes no list', async () => {
    await world.addProcessed('QO-1');
    const out = join(world.stage.localStateDirectory, 'affected.ids');
    writeFileSync(out, 'QO-9\n');
    const args = ['mapping', 'diff', ...since, '--out', out];
    const { exitCode, stdout } = await world.operate(args, { interruptAfterMs: 0 });
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: expect.stringContaining('Stopped early. ') });
    expect(readFileSync(out, 'utf8')).toBe('QO-9\n');
  });

  it('checks first that the file can be written', async () => {
    const { exitCode, stderr } = await world.operate(['mapping', 'diff', '--out', 'no/such/folder']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'error: the file no/such/folder cannot be written (ENOENT).\n',
    });
  });
});

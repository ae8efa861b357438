import { hoursAgo, operate, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

describe('orders get', () => {
  it('shows an order and the location of its raw payload', async () => {
    const { round, s3Key } = await stage.addDownloaded('QO-1');
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'get', 'QO-1']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('status        DOWNLOADED\n');
    expect(stdout).toContain(`round         ${round}\n`);
    expect(stdout).toContain('downloaded    2026-01-31T11:00:00.000Z (1h ago)\n');
    expect(stdout).toContain(`payload       s3://raw-bucket/${s3Key}\n`);
  });

  it('prints the item and the payload as JSON', async () => {
    const { s3Key } = await stage.addDownloaded('QO-1');
    const { exitCode, stdout } = await stage.operate(['orders', 'get', 'QO-1', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      stage: 'dev',
      order: expect.objectContaining({ order_id: 'QO-1', status: 'DOWNLOADED', attempts: 1, s3_key: s3Key }),
      payload: { bucket: 'raw-bucket', key: s3Key, uri: `s3://raw-bucket/${s3Key}` },
      answer_kept: false,
    });
  });

  it("shows why an order failed, and the internal API's refusal only with --show-answer", async () => {
    await stage.addFailed('QO-1', hoursAgo(3), { code: 'API_REFUSED', message: 'Refused', answer: 'Jane Doe' });
    for (const json of [[], ['--json']]) {
      const hidden = await stage.operate(['orders', 'get', 'QO-1', ...json]);
      expect(hidden.stdout).toContain('API_REFUSED');
      expect(hidden.stdout + hidden.stderr).not.toContain('Jane Doe');
      expect(hidden.stdout).toMatch(/answer {8}stored; --show-answer prints it|"answer_kept": true/);
      const shown = await stage.operate(['orders', 'get', 'QO-1', '--show-answer', ...json]);
      expect(shown.stdout).toContain('Jane Doe');
    }
  });

  it('shows the location of an unreadable response', async () => {
    const { round } = await stage.addFailed('QO-1', hoursAgo(1), { code: 'BAD_ANSWER' });
    const { stdout } = await stage.operate(['orders', 'get', 'QO-1']);
    expect(stdout).toContain(`s3://raw-bucket/rejected/QO-1/${round}.txt`);
  });

  it('exits 1 when there is no such order', async () => {
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'get', 'QO-404', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ error: { kind: 'absent', message: expect.stringContaining('QO-404') } });
    expect(stderr).toBe('error: There is no order QO-404 in dev on this machine.\n');
  });
});

describe('orders list', () => {
  it('lists orders that failed since then, newest first, from all shards of the index', async () => {
    for (const hours of [5, 1, 30, 3, 2, 4]) await stage.addFailed(`QO-${hours}`, hoursAgo(hours));
    await stage.addDownloaded('QO-fine');
    const { exitCode, stdout } = await stage.operate([
      'orders',
      'list',
      '--status',
      'FAILED',
      '--since',
      '24h',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ stage: 'dev', since: '2026-01-30T12:00:00.000Z', total: 5 });
    expect(document.orders.map(({ order_id }: { order_id: string }) => order_id)).toEqual(
      [1, 2, 3, 4, 5].map((hours) => `QO-${hours}`),
    );
  });

  it('stops at the limit, and reports it', async () => {
    for (const hours of [1, 2, 3]) await stage.addFailed(`QO-${hours}`, hoursAgo(hours), { answer: 'Jane Doe' });
    const { stdout, stderr } = await stage.operate(['orders', 'list', '--limit', '2']);
    expect(stdout.split('\n')).toEqual([
      'ORDER  FAILED                             WORKER    CODE             ERROR',
      'QO-1   2026-01-31T11:00:00.000Z (1h ago)  download  ORDER_NOT_FOUND  Qualia knows no such order',
      'QO-2   2026-01-31T10:00:00.000Z (2h ago)  download  ORDER_NOT_FOUND  Qualia knows no such order',
      '',
    ]);
    expect(stderr).toBe('Showing the newest 2 of 3; --limit shows more.\n');
  });

  it('reports failed orders that it cannot read, and lists the others', async () => {
    await stage.addFailed('QO-1', hoursAgo(1));
    await stage.addUnreadableFailure('QO-2', hoursAgo(2));
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'list', '--json']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'This version cannot read 1 failed order: QO-2.\n',
    });
    expect(JSON.parse(stdout)).toMatchObject({ total: 1, orders: [{ order_id: 'QO-1' }], unreadable: ['QO-2'] });
  });

  it('reports that nothing failed', async () => {
    const { exitCode, stdout } = await stage.operate(['orders', 'list']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'No order in dev on this machine has failed since 2026-01-30T12:00:00.000Z.\n',
    });
  });

  it('refuses other statuses before it connects to the stage', async () => {
    const { exitCode, stderr } = await operate(['orders', 'list', '--status', 'NOTIFIED']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--status "NOTIFIED" can only be FAILED');
  });
});

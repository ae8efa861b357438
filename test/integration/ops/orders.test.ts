import { hoursAgo, nowMs, operate, startStage, type TestStage } from './operators';

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
    expect(stdout).toContain(`payload       s3://${stage.rawBucketName}/${s3Key}\n`);
  });

  it('prints the item and the payload as JSON', async () => {
    const { s3Key } = await stage.addDownloaded('QO-1');
    const { exitCode, stdout } = await stage.operate(['orders', 'get', 'QO-1', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      stage: 'dev',
      order: expect.objectContaining({ order_id: 'QO-1', status: 'DOWNLOADED', attempts: 1, s3_key: s3Key }),
      payload: { bucket: stage.rawBucketName, key: s3Key, uri: `s3://${stage.rawBucketName}/${s3Key}` },
      answer_kept: false,
      tries: expect.objectContaining({ worker: 'processing', attempts: 0, last_failure: null }),
    });
  });

  it('shows what was tried for an open order, its last error, and its next attempt', async () => {
    const { requestId } = await stage.addNotified('QO-1', hoursAgo(0.1));
    const line = {
      order_id: 'QO-1',
      request_id: requestId,
      service: 'download',
      level: 'WARN',
      message: 'a try failed, will retry',
      error: 'Qualia answered 503',
      error_code: 'API_UNAVAILABLE',
      status_code: 503,
      api: 'qualia',
      receive: 2,
    };
    stage.logs.download.write(nowMs - 11_000, { ...line, attempt: 1, wait_seconds: 0.5 });
    stage.logs.download.write(nowMs - 10_000, { ...line, wait_seconds: 70 });
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'get', 'QO-1']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const row of [
      'waits for     download',
      'attempts      2 failed calls in 1 receive, the newest is receive 2 of its',
      'last attempt  2026-01-31T11:59:50.000Z (10s ago)',
      'error code    API_UNAVAILABLE 503',
      'error         Qualia answered 503',
      'next attempt  2026-01-31T12:01:00.000Z (in 1m 00s)',
    ])
      expect(stdout.split('\n')).toContain(row);
  });

  it('shows an open order also if the logs cannot be read', async () => {
    await stage.addNotified('QO-1');
    stage.announce({ endpoints: { ...stage.endpoints, logs: stage.workflows.url } });
    const { exitCode, stdout, stderr } = await stage.operate(['orders', 'get', 'QO-1']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining('The attempts are not shown, because the logs cannot be read: AWS refused'),
    });
    expect(stdout).toContain('status        NOTIFIED\n');
  });

  it("shows why an order failed, and the internal API's refusal only with --show-answer", async () => {
    await stage.addFailed('QO-1', hoursAgo(3), { code: 'API_REFUSED', message: 'Refused', response: 'Jane Doe' });
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
    expect(stdout).toContain(`s3://${stage.rawBucketName}/rejected/QO-1/${round}.txt`);
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
    for (const hours of [1, 2, 3]) await stage.addFailed(`QO-${hours}`, hoursAgo(hours), { response: 'Jane Doe' });
    const { stdout, stderr } = await stage.operate(['orders', 'list', '--limit', '2']);
    expect(stdout.split('\n')).toEqual([
      'ORDER  FAILED  WORKER    CODE             ERROR',
      'QO-1   1h ago  download  ORDER_NOT_FOUND  The order does not exist in Qualia',
      'QO-2   2h ago  download  ORDER_NOT_FOUND  The order does not exist in Qualia',
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

describe('orders list of failed orders', () => {
  beforeEach(async () => {
    await stage.addFailed('QO-1', hoursAgo(1));
    await stage.addFailed('QO-2', hoursAgo(3), { code: 'API_REFUSED' });
  });

  it.each([
    [['--code', 'API_REFUSED'], ['QO-2']],
    [
      ['--worker', 'download'],
      ['QO-1', 'QO-2'],
    ],
    [['--worker', 'processing'], []],
    [['--older-than', '2h'], ['QO-2']],
  ])('%j selects %j', async (options, ids) => {
    const { stdout } = await stage.operate(['orders', 'list', ...options, '--json']);
    expect(JSON.parse(stdout).orders.map(({ order_id }: { order_id: string }) => order_id)).toEqual(ids);
  });
});

describe('orders list --open', () => {
  beforeEach(async () => {
    const waiting = await stage.addNotified('QO-1', hoursAgo(2));
    await stage.addDownloaded('QO-2', hoursAgo(0.1));
    await stage.addFailed('QO-3');
    for (const id of ['QO-1', 'QO-2', 'QO-3'])
      stage.logs.webhook.write(hoursAgo(2), { order_id: id, service: 'webhook', status: 'NOTIFIED' });
    stage.logs.download.write(nowMs - 20_000, {
      order_id: 'QO-1',
      request_id: waiting.requestId,
      service: 'download',
      level: 'WARN',
      receive: 3,
      message: 'a try failed, will retry',
      error_code: 'TIMEOUT',
      api: 'qualia',
      wait_seconds: 60,
    });
  });

  it('shows the open orders with their last error and next attempt, in 80 columns', async () => {
    const { exitCode, stdout } = await stage.operate(['orders', 'list', '--open']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'ORDER  WAITS FOR   OPEN FOR  FAILED CALLS  LAST ERROR     NEXT ATTEMPT',
      'QO-1   download    2h 00m    1             TIMEOUT        in 40s',
      'QO-2   processing  6m 00s    0             first attempt  -',
      '',
    ]);
  });

  it.each([
    [['--code', 'TIMEOUT'], ['QO-1']],
    [['--worker', 'processing'], ['QO-2']],
    [['--older-than', '1h'], ['QO-1']],
    [['--code', 'API_REFUSED'], []],
  ])('%j selects %j', async (options, ids) => {
    const { stdout } = await stage.operate(['orders', 'list', '--open', ...options, '--json']);
    const { orders } = JSON.parse(stdout);
    expect(orders.map(({ order }: { order: { order_id: string } }) => order.order_id)).toEqual(ids);
  });
});

describe('orders list --warnings', () => {
  it('shows the orders that were posted without a value', async () => {
    const line = { service: 'processing', message: 'order processed', status: 'PROCESSED' };
    const warnings = [{ code: 'BAD_DATE', field: 'due_date' }];
    stage.logs.download.write(hoursAgo(1), { ...line, order_id: 'QO-1', warnings });
    stage.logs.download.write(hoursAgo(1), { ...line, order_id: 'QO-2' });
    const { stdout } = await stage.operate(['orders', 'list', '--warnings', '--code', 'BAD_DATE']);
    expect(stdout.split('\n')).toEqual([
      'ORDER  PROCESSED  CODE      FIELD',
      'QO-1   1h ago     BAD_DATE  due_date',
      '',
    ]);
    const none = await stage.operate(['orders', 'list', '--warnings', '--code', 'BAD_NUMBER']);
    expect(none.stdout).toContain('was posted with BAD_NUMBER warnings');
  });
});

describe('orders list with invalid options', () => {
  it.each([
    [['--open', '--warnings'], '--open and --warnings cannot be combined'],
    [['--status', 'FAILED', '--open'], '--status cannot be combined with --open or --warnings'],
    [['--warnings', '--worker', 'download'], '--worker cannot be combined with --warnings'],
    [['--code', 'TIMEOUTS'], '--code "TIMEOUTS" must be one of ALREADY_RUNNING, API_REFUSED, '],
  ])('%j is refused', async (options, expected) => {
    const { exitCode, stderr } = await operate(['orders', 'list', ...options]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(expected);
  });
});

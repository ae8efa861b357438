import { exitCodes } from '../../../ops/commands/exit-codes';
import { hoursAgo, nowMs, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => stage.logs.clear());
afterAll(() => stage.stop());

const searchFor = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await stage.operate(['logs', ...args, '--json']);
  return { exitCode, stderr, document: JSON.parse(stdout) };
};

describe('pipeline logs', () => {
  it('lists the saved queries, and the command for each', async () => {
    const { exitCode, stdout } = await stage.operate(['logs']);
    expect(exitCode).toBe(exitCodes.done);
    expect(stdout).toMatch(/^pipeline logs order <order id> +# One order, every event$/m);
    expect(stdout).toMatch(/^pipeline logs "One order, step by step" <order id>$/m);
    expect(stdout).toMatch(/^pipeline logs run <run id> +# One sync run, step by step$/m);
    expect(stdout).toMatch(/^pipeline logs "Portals of a sync run by duration" <run id>$/m);
    expect(stdout).toMatch(/^pipeline logs "Retries by API"$/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('shows the rows of a query over all log groups of the stage', async () => {
    stage.logs.webhook.write(hoursAgo(2), { order_id: 'QO-1', status: 'NOTIFIED' });
    stage.logs.download.write(hoursAgo(1), {
      order_id: 'QO-1',
      status: 'FAILED',
      error: 'The order does\nnot exist in Qualia',
    });
    stage.logs.ofAnotherStage.write(hoursAgo(1), { order_id: 'QO-1', status: 'NOTIFIED' });
    const { exitCode, stdout, stderr } = await stage.operate([
      'logs',
      'fields @timestamp, status, error | filter order_id = "QO-1" | sort @timestamp asc',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.done, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      '@timestamp               status    error',
      '2026-01-31 10:00:00.000  NOTIFIED',
      '2026-01-31 11:00:00.000  FAILED    The order does not exist in Qualia',
      '',
    ]);
  });

  it('prints the rows, the query and its statistics as one document', async () => {
    stage.logs.webhook.write(hoursAgo(2), { level: 'INFO' });
    stage.logs.webhook.write(hoursAgo(1), { level: 'ERROR' });
    const query = 'filter level = "ERROR" | stats count() as n by level';
    const { exitCode, document } = await searchFor(query, '--since', '3h');
    expect(exitCode).toBe(exitCodes.done);
    expect(document).toEqual({
      stage: 'dev',
      query,
      since: new Date(hoursAgo(3)).toISOString(),
      until: new Date(nowMs).toISOString(),
      complete: true,
      rows: [{ level: 'ERROR', n: '1' }],
      lines_read: 2,
      lines_matched: 1,
      bytes_read: 33,
    });
  });

  it('reads the lines since --since, and shows --limit rows of them', async () => {
    for (const hours of [1, 2, 30]) stage.logs.webhook.write(hoursAgo(hours), { hours });
    expect((await searchFor('fields hours')).document.rows).toHaveLength(2);
    expect((await searchFor('fields hours', '--since', '2d')).document.rows).toHaveLength(3);
    const { document, stderr } = await searchFor('fields hours', '--limit', '1');
    expect(document.rows).toEqual([{ hours: '1' }]);
    expect(stderr).toBe('Showing the first 1 rows; --limit shows more.\n');
  });

  it.each([
    ['order', 'QO-1', { order_id: 'QO-1' }],
    ['one order, step by step', 'QO-1', { order_id: 'QO-1' }],
    ['portals', 'nightly:1', { run_id: 'nightly:1', portal: 'nowandgen' }],
    ['request', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', { request_id: '3f2504e0-4f89-11d3-9a0c-0305e82c3301' }],
    ['run', 'nightly:1', { run_id: 'nightly:1' }],
  ])('%s %s runs the saved query for that ID', async (subject, id, line) => {
    stage.logs.webhook.write(hoursAgo(1), line);
    stage.logs.webhook.write(hoursAgo(1), { order_id: 'QO-123456' });
    const { document } = await searchFor(subject, id);
    expect(document.lines_matched).toBe(1);
  });

  it.each(['retries', 'Retries by API', 'slowest', 'errors', 'failures', 'refused', 'response times'])(
    '%s runs the saved query with this in its name',
    async (words) => {
      expect(await searchFor(words)).toMatchObject({ exitCode: exitCodes.done, document: { complete: true } });
    },
  );

  it('order shows each event with its fields, in 80 columns', async () => {
    const about = { order_id: 'QO-1', request_id: 'request-1', service: 'download' };
    stage.logs.download.write(hoursAgo(1), {
      ...about,
      level: 'INFO',
      message: 'order downloaded',
      status: 'DOWNLOADED',
    });
    stage.logs.download.write(hoursAgo(2), {
      ...about,
      level: 'WARN',
      message: 'a try failed, will retry',
      error: 'Qualia answered 503',
      error_code: 'API_UNAVAILABLE',
      attempt: 1,
      receive: 1,
      wait_seconds: 0.4,
    });
    const { stdout } = await stage.operate(['logs', 'order', 'QO-1']);
    expect(stdout.split('\n')).toEqual([
      '01-31 10:00:00.000  download    WARN   a try failed, will retry',
      '                    API_UNAVAILABLE  request_id request-1  attempt 1  receive 1',
      '                    wait_seconds 0.4',
      '                    Qualia answered 503',
      '01-31 11:00:00.000  download    INFO   order downloaded',
      '                    DOWNLOADED  request_id request-1',
      '',
    ]);
  });

  describe('--follow', () => {
    const line = { service: 'download', level: 'WARN', message: 'a try failed, will retry', error_code: 'TIMEOUT' };
    const isShown = (output: string): boolean => output.includes('QO-1');

    it('shows lines as they arrive, until Ctrl-C', async () => {
      stage.logs.download.write(nowMs - 60_000, { ...line, order_id: 'QO-before' });
      stage.logs.download.write(nowMs, { ...line, order_id: 'QO-1', attempt: 1 });
      stage.logs.webhook.write(nowMs, { _aws: {}, service: 'webhook', WebhookAccepted: 1 });
      const { exitCode, stdout, stderr } = await stage.operate(['logs', '--follow'], { interruptWhen: isShown });
      expect({ exitCode, stderr }).toEqual({
        exitCode: exitCodes.done,
        stderr: 'Following the logs on this machine; Ctrl-C ends.\n',
      });
      expect(stdout.split('\n')).toEqual([
        '01-31 12:00:00.000  download    WARN   a try failed, will retry',
        '                    TIMEOUT  order_id QO-1  attempt 1',
        '1 event.',
        '',
      ]);
    });

    it.each([[['order', 'QO-1']], [['{ $.order_id = "QO-1" }']]])('%j follows only these lines', async (args) => {
      for (const id of ['QO-1', 'QO-2']) stage.logs.download.write(nowMs, { ...line, order_id: id });
      const { stdout } = await stage.operate(['logs', ...args, '--follow', '--json'], { interruptWhen: isShown });
      expect(JSON.parse(stdout)).toMatchObject({ events: 1 });
    });

    it('refuses an id after a pattern', async () => {
      const { exitCode, stderr } = await stage.operate(['logs', 'ERROR', 'QO-1', '--follow']);
      expect(exitCode).toBe(exitCodes.usage);
      expect(stderr).toContain('"QO-1" follows the pattern');
    });
  });

  it('reports that nothing was found', async () => {
    const { exitCode, stdout } = await stage.operate(['logs', 'order', 'QO-2']);
    expect(exitCode).toBe(exitCodes.done);
    expect(stdout).toBe('Nothing found in 0 lines of dev on this machine since 2026-01-30T12:00:00.000Z.\n');
  });

  it.each([
    [['fileds @message | limit 1'], /Line 1, col 1:.*\^.*Expected .*fields/s],
    [
      ['nosuch'],
      /"nosuch" is neither a query nor the name of exactly one saved query: "API calls answered 429 or 5xx", /,
    ],
    [['by'], /"by" is neither a query nor the name of exactly one/],
    [['order'], /"One order, every event" needs this form: pipeline logs order <order id>/],
    [['retries', 'QO-1'], /"Retries by API" needs this form: pipeline logs "Retries by API"/],
    [['order', 'QO-1" or 1'], /<id> "QO-1\\" or 1" is not an id/],
    [['fields @message', 'extra'], /"extra" follows the query/],
    [['fields @message', '--since', 'soon', '--limit', '10001'], /--since "soon".*--limit "10001"/s],
  ])('%j is invalid usage', async (args, expected) => {
    const { exitCode, stderr } = await stage.operate(['logs', ...args]);
    expect(exitCode).toBe(exitCodes.usage);
    expect(stderr).toMatch(expected);
  });

  it('stops the query on Ctrl-C', async () => {
    stage.logs.makeEndless();
    const { exitCode, stdout, stderr } = await stage.operate(['logs', 'fields @message', '--json'], {
      interruptAfterMs: 300,
    });
    expect(exitCode).toBe(exitCodes.aborted);
    expect(stderr).toContain('The query was stopped.');
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, rows: [] });
  });
});

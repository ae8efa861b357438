import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { hoursAgo, nowMs, startStage, type TestStage } from './operators';
import { simulateLambdas } from './sync-lambdas';

/** Lambda: the queue of download is consumed, that of processing is not; the webhook runs another release. */
const lambdaResponse = (url: URL): object => {
  const name = url.searchParams.get('FunctionName') ?? url.pathname.split('/')[3] ?? '';
  if (url.pathname.includes('event-source-mappings')) {
    return { EventSourceMappings: [{ State: name.endsWith('processing') ? 'Disabled' : 'Enabled' }] };
  }
  const version = name.endsWith('webhook') ? '1.1.0' : '1.0.0';
  return { FunctionName: name, Environment: { Variables: { SERVICE_VERSION: version, COMMIT_SHA: 'abc' } } };
};

let stage: TestStage;
let lambda: Server;
beforeEach(async () => {
  stage = await startStage();
  lambda = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(lambdaResponse(new URL(request.url ?? '', 'http://lambda'))));
  });
  await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
  const { port } = lambda.address() as AddressInfo;
  stage.announce({ endpoints: { ...stage.endpoints, lambda: `http://127.0.0.1:${port}` } });
});
afterEach(async () => {
  lambda.closeAllConnections();
  await Promise.all([stage.stop(), new Promise((resolve) => lambda.close(resolve))]);
});

const statusDocument = async () => {
  const { exitCode, stdout } = await stage.operate(['status', '--json']);
  return { exitCode, document: JSON.parse(stdout) };
};

test('counts the last hour, the hour before, and the same hour yesterday', async () => {
  const accepted = { message: 'webhook accepted', service: 'webhook', status: 'NOTIFIED', order_id: 'QO-1' };
  for (const minutes of [1, 59, 61, 119, 24 * 60 + 30]) stage.logs.webhook.write(nowMs - minutes * 60_000, accepted);
  const downloaded = { message: 'order downloaded', service: 'download', status: 'DOWNLOADED', order_id: 'QO-1' };
  for (const minutes of [2, 3, 30]) stage.logs.download.write(nowMs - minutes * 60_000, downloaded);
  const { document } = await statusDocument();
  expect(document.activity).toMatchObject({
    last_hour: { webhooks: 2, downloaded: 3 },
    hour_before: { webhooks: 2, downloaded: 0 },
    same_hour_yesterday: { webhooks: 1, downloaded: 0 },
    per_minute: { download: 0.2, processing: 0 },
  });
});

test('shows queues, dead letters and the last pass', async () => {
  await stage.addDeadLetter('processing', {});
  stage.logs.download.write(nowMs - 2_400_000, {
    message: 'orders reconciled',
    service: 'reconciler',
    outcome: 'complete',
    known: 300,
    missing: 0,
    drifted_unnoticed: 0,
    stuck: 1,
    in_flight: 2,
  });
  const { exitCode, document } = await statusDocument();
  expect(exitCode).toBe(exitCodes.failed);
  expect(document).toMatchObject({
    red: true,
    queues: [
      { queue: 'download', dead_letters: 0 },
      { queue: 'processing', dead_letters: 1 },
    ],
    last_pass: { known: 300, missing: 0, stuck: 1, in_flight: 2 },
    alarms: { total: 1, raised: [] },
  });
});

test.each([
  [
    'open',
    [
      ['CircuitOpen', 120],
      ['CircuitOpen', 30],
    ],
    true,
  ],
  [
    'closed by a later success',
    [
      ['CircuitOpen', 120],
      ['success', 30],
    ],
    false,
  ],
  ['closed after a while without a report', [['CircuitOpen', 600]], false],
] as const)('a circuit is %s', async (_, lines, isOpen) => {
  for (const [kind, secondsAgo] of lines)
    stage.logs.download.write(
      nowMs - secondsAgo * 1_000,
      kind === 'success'
        ? { message: 'order downloaded', service: 'download', response_time_ms: 10 }
        : { service: 'download', CircuitOpen: 1 },
    );
  const { document } = await statusDocument();
  const openSince = isOpen ? new Date(nowMs - 120_000).toISOString() : null;
  expect(document.circuits[0]).toEqual({ worker: 'download', open: isOpen, open_since: openSince });
});

test('shows open orders by their cause, and none that are closed', async () => {
  const waiting = await stage.addNotified('QO-1', nowMs - 1_200_000);
  await stage.addNotified('QO-2', nowMs - 60_000);
  await stage.addFailed('QO-3');
  for (const id of ['QO-1', 'QO-2', 'QO-3'])
    stage.logs.webhook.write(nowMs - 1_200_000, { order_id: id, service: 'webhook', status: 'NOTIFIED' });
  stage.logs.download.write(nowMs - 20_000, {
    order_id: 'QO-1',
    request_id: waiting.requestId,
    service: 'download',
    level: 'WARN',
    message: 'a try failed, will retry',
    error_code: 'TIMEOUT',
    api: 'qualia',
    receive: 3,
    wait_seconds: 60,
  });
  const { exitCode, document } = await statusDocument();
  expect(exitCode).toBe(exitCodes.failed);
  expect(document.waiting).toEqual({
    orders: 2,
    groups: [
      expect.objectContaining({
        error_code: 'TIMEOUT',
        orders: 1,
        sample: 'QO-1',
        next_attempt_at: new Date(nowMs + 40_000).toISOString(),
      }),
      expect.objectContaining({ error_code: null, orders: 1, sample: 'QO-2', next_attempt_at: null }),
    ],
  });
});

test('shows workers that are switched off, and which release each Lambda runs', async () => {
  const { document } = await statusDocument();
  expect(document.paused).toEqual({
    workers: ['processing'],
    schedules: [],
    pauses: [],
  });
  expect(document.releases).toEqual([
    expect.objectContaining({ version: '1.0.0', functions: ['download'] }),
    expect.objectContaining({ version: '1.1.0', functions: ['webhook'] }),
  ]);
  expect(document.findings.map(({ subject }: { subject: string }) => subject)).toEqual(['paused', 'release']);
});

test('shows how the last sync run ended, unless it was skipped', async () => {
  const finishedAtMs = hoursAgo(2);
  stage.workflows.start('nightly-1');
  const nightly = simulateLambdas(stage, 'nightly-1');
  await nightly.plan(hoursAgo(3));
  await nightly.finish('PARTIAL', finishedAtMs);
  const { executionArn } = stage.workflows.start('nightly-2');
  const refused = { input: { run_id: 'nightly-2' }, executionArn, startedAtMs: hoursAgo(1) };
  await stage.runs.refuse({ ...refused, status: 'SKIPPED', message: 'The run manual is using iterable' });
  stage.workflows.end('nightly-2', 'SUCCEEDED');
  stage.workflows.start('manual');
  const { document } = await statusDocument();
  expect(document.syncs).toMatchObject({
    running: [{ run_id: 'manual' }],
    last: { run_id: 'nightly-1', status: 'PARTIAL', ended_at: new Date(finishedAtMs).toISOString() },
  });
});

test('a part that cannot be read does not hide the others', async () => {
  stage.announce({ endpoints: { ...stage.endpoints, lambda: stage.workflows.url } });
  const { document } = await statusDocument();
  expect(document.releases).toEqual({ missing: expect.stringContaining('AWS refused') });
  expect(document.queues).toHaveLength(2);
});

test('shows the alarms of the stage that are raised', async () => {
  stage.cloudWatch.record({ namespace: 'N', name: 'Failed', dimensions: {} }, 1, 'Count');
  await stage.cloudWatch.advance(1);
  const { exitCode, document } = await statusDocument();
  expect(exitCode).toBe(exitCodes.failed);
  const raised = { name: 'orders-failed', since: expect.stringMatching(/^20/), description: 'Orders failed.' };
  expect(document.alarms).toEqual({ total: 1, raised: [raised], silent: [] });
  expect(document.findings).toContainEqual(expect.objectContaining({ text: 'Alarm orders-failed: Orders failed.' }));
});

test('--watch refreshes until Ctrl-C, and then prints the newest state', async () => {
  const { exitCode, stdout, stderr } = await stage.operate(['status', '--watch'], {
    interruptWhen: (output) => output.includes('QUEUE'),
  });
  expect(exitCode).toBe(exitCodes.failed);
  expect(stdout).toContain('dev on this machine  2026-01-31 12:00:00 UTC');
  expect(stderr).toContain('QUEUE');
});

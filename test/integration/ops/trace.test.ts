import { exitCodes } from '../../../ops/commands/exit-codes';
import { createClients } from '../support/clients';
import { createBucket } from '../support/resources';
import { hoursAgo, nowMs, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
  const clients = createClients();
  const RawBucketName = await createBucket(clients, 'raw');
  clients.destroy();
  stage.announce({ outputs: { ...stage.outputs, 'dev-Data': { ...stage.outputs['dev-Data'], RawBucketName } } });
});
afterEach(() => stage.stop());

/** Writes the lines of an order that waits while Qualia is down. */
const addWaiting = async (): Promise<void> => {
  const { requestId } = await stage.addNotified('QO-1', nowMs - 120_000);
  const about = { order_id: 'QO-1', request_id: requestId };
  const failure = {
    ...about,
    service: 'download',
    level: 'WARN',
    message: 'a try failed, will retry',
    error: 'Qualia answered 503',
    error_code: 'API_UNAVAILABLE',
    status_code: 503,
    api: 'qualia',
    receive: 1,
  };
  stage.logs.webhook.write(nowMs - 120_000, {
    ...about,
    service: 'webhook',
    level: 'INFO',
    message: 'webhook accepted',
    status: 'NOTIFIED',
    outcome: 'queued',
    notification_type: 'order.created',
    response_time_ms: 4.2,
  });
  stage.logs.download.write(nowMs - 119_500, { ...failure, attempt: 1, wait_seconds: 0.4, attempt_ms: 210 });
  stage.logs.download.write(nowMs - 118_900, { ...failure, wait_seconds: 32, attempt_ms: 10_300 });
  for (const secondsAgo of [80, 35])
    stage.logs.download.write(nowMs - secondsAgo * 1_000, {
      ...about,
      service: 'download',
      level: 'INFO',
      message: 'order waits for an API',
      error_code: 'CIRCUIT_OPEN',
      wait_seconds: 45,
      receive: 1,
    });
};

test('shows every attempt of an order and its waits, in 80 columns', async () => {
  await addWaiting();
  const { exitCode, stdout, stderr } = await stage.operate(['orders', 'trace', 'QO-1']);
  expect({ exitCode, stderr }).toEqual({ exitCode: exitCodes.done, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines).toEqual([
    'QO-1  NOTIFIED, 1 round',
    '',
    '━━ round 1: webhook order.created, 01-31 11:58:00 UTC ━━━━━━━━━━━━━━━━━━━━━━━━━━',
    '  request request-1 · no payload',
    '  01-31 11:58:00  webhook                  queued                           4 ms',
    '  01-31 11:58:00  download    1 webhook    API_UNAVAILABLE 503 210 ms, next 0.4s',
    '  01-31 11:58:01  download    2 retry      API_UNAVAILABLE 503     10s, next 32s',
    '                                           waits 39s for the next attempt',
    '  01-31 11:58:40  download    - retry      circuit open, 2 times  next in 1m 30s',
    '  NOTIFIED, still open',
    '  next attempt of download: 2026-01-31T12:00:10.000Z (in 10s)',
  ]);
});

test('prints the story as one document', async () => {
  await addWaiting();
  const { stdout } = await stage.operate(['orders', 'trace', 'QO-1', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    stage: 'dev',
    order_id: 'QO-1',
    status: 'NOTIFIED',
    rounds: [{ started_by: 'webhook', end: 'NOTIFIED', ended_at: null, events: { length: 5 } }],
  });
});

test('shows a closed order whose log lines are no longer kept', async () => {
  const { round } = await stage.addFailed('QO-2', hoursAgo(900));
  const { exitCode, stdout } = await stage.operate(['orders', 'trace', 'QO-2', '--json']);
  expect(exitCode).toBe(exitCodes.done);
  expect(JSON.parse(stdout)).toMatchObject({ rounds: [{ round, end: 'FAILED', events: [] }] });
});

test('exits 1 when nothing is known about the order', async () => {
  const { exitCode, stderr } = await stage.operate(['orders', 'trace', 'QO-404']);
  expect(exitCode).toBe(exitCodes.failed);
  expect(stderr).toBe('error: There is no order QO-404 in dev.\n');
});

import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { operationKey } from '../../../shared/operations/key';
import { issue } from '../../support/issues';
import { hoursAgo } from '../ops/operators';
import { startPausableStage } from '../ops/pausable-stage';
import { createClients } from '../support/clients';
import { startTestConsole, type TestConsole } from './test-console';

const clients = createClients();
let stage: Awaited<ReturnType<typeof startPausableStage>>;
let console: TestConsole;
beforeAll(async () => {
  stage = await startPausableStage();
  // The embedded AWS has the time of this machine.
  console = await startTestConsole(stage, { now: Date.now });
});
afterAll(async () => {
  await console.stop();
  await stage.stop();
  clients.destroy();
});

const call = async (path: string, body?: object) => {
  const { status, document } = await console.call(path, body && { body });
  expect({ status, document }).toMatchObject({ status: 200 });
  return document;
};

describe('issues', () => {
  const id = 'd0434cbf';
  beforeAll(async () => {
    const seen = { first_seen: new Date(hoursAgo(3)).toISOString(), last_seen: new Date().toISOString() };
    const Item = { ...operationKey('ISSUE', id), ...issue({ id, sample: 'QO-1', ...seen }) };
    await clients.documents.send(new PutCommand({ TableName: stage.operationsTableName, Item }));
    await stage.addFailed('QO-1', Date.now() - 60_000, { issueId: id });
    stage.logs.download.write(Date.now() - 60_000, {
      message: 'order failed for good',
      service: 'download',
      issue_id: id,
      order_id: 'QO-1',
    });
  });

  test('are listed with their failures by hour, and shown with the orders that are left', async () => {
    expect((await call('/issues')).issues).toMatchObject([{ id, state: 'open' }]);
    const failures = (await call('/issues/failures'))[id];
    expect([failures.length, failures.reduce((sum: number, count: number) => sum + count)]).toEqual([24, 1]);
    expect(await call(`/issues/${id}`)).toMatchObject({ issue: { id }, orders: [{ order_id: 'QO-1' }] });
  });

  test('are acknowledged, replayed as a task, and resolved', async () => {
    await call(`/issues/${id}/acknowledge`, { until: '4h' });
    expect((await call(`/issues/${id}`)).issue.state).toBe('acknowledged');
    const task = await call(`/issues/${id}/replay`, { rate: 5 });
    expect(task).toMatchObject({ verb: 'issues replay', title: `Replay of 1 order of issue ${id}`, total: 1 });
    expect((await call('/tasks'))[0]).toMatchObject({ id: task.id, state: 'running' });
    await call(`/tasks/${task.id}/stop`, {});
    while ((await call('/tasks'))[0].state === 'running') await new Promise(setImmediate);
    await call(`/issues/${id}/resolve`, {});
    expect((await call('/issues')).issues).toEqual([]);
    expect((await call('/issues?all=true')).issues).toMatchObject([{ id, state: 'resolved' }]);
  });

  test('refuse what is wrong, all at once', async () => {
    const { status, document } = await console.call(`/issues/${id}/acknowledge`, {
      body: { until: 'soon', reason: 7 },
    });
    expect(status).toBe(400);
    expect(document.error.kind).toBe('usage');
    expect(document.error.faults).toHaveLength(2);
    expect(await console.call('/issues/00000000')).toMatchObject({
      status: 404,
      document: { error: { kind: 'absent' } },
    });
  });
});

describe('dead letters', () => {
  test('are shown, redriven one by one, dropped, and redriven together', async () => {
    for (const order_id of ['QO-4', 'QO-5', 'QO-6']) await stage.addDeadLetter('download', { order_id });
    await stage.addDeadLetter('download', 'Jane Doe');
    const letters = await call('/queues/download/messages');
    expect(letters.map(({ order_id }: { order_id: string | null }) => order_id).sort()).toEqual([
      'QO-4',
      'QO-5',
      'QO-6',
      null,
    ]);
    expect(JSON.stringify(letters)).not.toContain('Jane Doe');
    const idOf = (id: string | null): string =>
      letters.find(({ order_id }: { order_id: string | null }) => order_id === id).message_id;

    await call(`/queues/download/messages/${idOf('QO-4')}/redrive`, {});
    expect((await stage.receive(stage.queues.download.url)).map(({ order_id }) => order_id)).toContain('QO-4');
    const { copy } = await call(`/queues/download/messages/${idOf(null)}/drop`, {});
    expect(copy).toContain(`/dead-letters/download/${idOf(null)}.json`);
    expect((await call('/queues'))[0]).toMatchObject({ worker: 'download', messages: 2, redrive: null });
    await call('/queues/download/redrive', { rate: 100 });
    while ((await call('/queues'))[0].redrive.status === 'RUNNING') await new Promise(setImmediate);
    expect((await call('/queues'))[0]).toMatchObject({ messages: 0, redrive: { status: 'COMPLETED', moved: 2 } });
    expect(await call('/queues/download/stop', {})).toBeNull();
  });
});

test('a worker is paused and resumed, with the reason', async () => {
  await call('/pauses/processing/pause', { until: '4h', reason: 'maintenance' });
  expect(stage.polling()).toEqual(['download']);
  expect((await call('/status')).paused.pauses).toMatchObject([{ part: 'processing', reason: 'maintenance' }]);
  await call('/pauses/processing/resume', {});
  expect(stage.polling().sort()).toEqual(['download', 'processing']);
  const again = await console.call('/pauses/processing/resume', { body: {} });
  expect(again).toMatchObject({ status: 500, document: { error: { message: 'processing is not paused.' } } });
});

test('calls of the webhook are counted by outcome, and refusals by reason and source', async () => {
  const at = Date.now() - 60_000;
  stage.logs.webhook.write(at, { message: 'webhook accepted', service: 'webhook', outcome: 'duplicate' });
  const refusal = { message: 'webhook refused', service: 'webhook', reason: 'unauthorized', source_ip: '192.0.2.1' };
  for (const _call of ['first', 'second']) stage.logs.webhook.write(at, refusal);
  const { bins, refusals } = await call('/webhooks/activity?period=3h');
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  expect([bins.queued, bins.duplicate, bins.stale, bins.refused].map(sum)).toEqual([0, 1, 0, 2]);
  expect(bins.duplicate).toHaveLength(36);
  expect(refusals).toMatchObject([{ reason: 'unauthorized', source_ip: '192.0.2.1', calls: 2 }]);
});

test('charts have a value of each series for each time', async () => {
  const { times, charts } = await call('/metrics/charts?period=3h');
  expect(times).toHaveLength(180);
  expect(charts.map(({ title }: { title: string }) => title)).toContain('Webhooks');
  for (const { series } of charts) for (const { values } of series) expect(values).toHaveLength(180);
});

test('alarms are listed with their history', async () => {
  const [alarm] = await call('/metrics/alarms');
  expect(alarm).toMatchObject({ name: 'end-to-end-latency', silent: false, impact: 'Orders failed.' });
  expect(await call(`/metrics/alarms/${alarm.name}`)).toEqual(expect.any(Array));
});

test('actions are listed, the newest first', async () => {
  const { actions } = await call('/actions?since=1h');
  const verbs = actions.map(({ verb }: { verb: string }) => verb);
  expect(verbs[0]).toBe('resume');
  expect(verbs).toEqual(expect.arrayContaining(['issues ack', 'issues replay', 'dlq redrive', 'dlq drop', 'pause']));
  expect((await call('/actions?since=1h&verb=dlq')).actions).toHaveLength(4);
});

test('a console that is read-only refuses every change', async () => {
  const readOnly = await startTestConsole(stage, { write: false });
  const paths = [
    ...['/issues/d0434cbf/acknowledge', '/issues/d0434cbf/resolve', '/issues/d0434cbf/replay', '/tasks/1/stop'],
    ...['/queues/download/redrive', '/queues/download/stop', '/queues/download/messages/1/redrive'],
    ...['/queues/download/messages/1/drop', '/pauses/sync/pause', '/pauses/sync/resume'],
    '/rehearsals/qualia',
    ...['/webhooks/refused/accept', '/webhooks/refused/1/accept', '/webhooks/samples/send'],
  ];
  const refusals = await Promise.all(paths.map((path) => readOnly.call(path, { body: {} })));
  expect(refusals.map(({ status, document }) => [status, document.error.kind])).toEqual(
    paths.map(() => [403, 'read-only']),
  );
  await readOnly.stop();
});

describe('logs', () => {
  const search = (query: string) => console.call(`/logs/search?query=${encodeURIComponent(query)}`);
  beforeAll(() => stage.logs.download.write(Date.now() - 60_000, { message: 'searched for', service: 'download' }));

  test('are searched with the syntax of CloudWatch Logs Insights', async () => {
    const { status, document } = await search('fields @timestamp, message | filter message = "searched for"');
    expect(status).toBe(200);
    expect(document).toMatchObject({
      rows: [
        [
          ['@timestamp', expect.any(String)],
          ['message', 'searched for'],
        ],
      ],
    });
    expect(document).toMatchObject({ is_cut: false, lines_matched: 1 });
  });

  test('a query that cannot be parsed is refused, and says where', async () => {
    const { status, document } = await search('filter level =');
    expect(status).toBe(400);
    expect(document.error).toMatchObject({ kind: 'usage', message: expect.stringContaining('Expected') });
  });

  test('have a vocabulary, each word of which a local stage understands', async () => {
    const { vocabulary } = await call('/logs/saved');
    const [first, ...others] = vocabulary.fields;
    const calls = ['count(*)', 'pct(total, 95)', 'bin(5m)'];
    const isAggregate = (name: string) => calls.some((one) => one.startsWith(`${name}(`));
    for (const name of vocabulary.functions) if (!isAggregate(name)) expect(name).toMatch(/^[a-z_A-Z]+$/);
    const { status } = await search(
      `fields ${[first, ...others].join(', ')} | stats ${calls.slice(0, 2).join(', ')} by bin(5m)`,
    );
    expect(status).toBe(200);
  });

  test('cost nothing on this machine', async () => {
    expect(await call('/logs/cost?since=24h')).toMatchObject({ usd: 0 });
  });
});

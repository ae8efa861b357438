import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { readEndpoints } from '../support/clients';
import { type Pipeline, startPipeline } from '../support/pipeline';
import { operate } from './operators';

const hourMs = 3_600_000;
const functionName = 'dev-marketplace-reconciler';

/** Serves Lambda's GetFunctionConfiguration for one function. */
const startFunctions = async (variables: () => Readonly<Record<string, string>>): Promise<Server> => {
  const server = createServer((request, response) => {
    const exists = request.url === `/2015-03-31/functions/${functionName}/configuration`;
    response.writeHead(exists ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(exists ? { Environment: { Variables: variables() } } : { Type: 'User' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

let pipeline: Pipeline;
let functions: Server;
let directory: string;
let variables: Record<string, string>;

/** Creates a stage with the Lambdas of a pipeline. */
beforeEach(async () => {
  pipeline = await startPipeline();
  const { tableName, bucketName, queues } = pipeline.resources;
  variables = {
    QUALIA_API_URL: pipeline.qualia.url,
    QUALIA_SECRET_ARN: 'qualia',
    ARTIFACTS_BUCKET_NAME: bucketName,
    QUALIA_CALLS_PER_SECOND: '500',
  };
  functions = await startFunctions(() => variables);
  directory = mkdtempSync(join(tmpdir(), 'prove-'));
  const { dynamodb, sqs, s3, secretsManager } = readEndpoints();
  const running = {
    pid: process.pid,
    endpoints: {
      dynamodb,
      sqs,
      s3,
      secretsmanager: secretsManager,
      lambda: urlOf(functions),
      sfn: 'http://127.0.0.1:1',
      logs: 'http://127.0.0.1:1',
    },
    outputs: {
      'dev-Data': {
        OrdersTableName: tableName,
        RawBucketName: bucketName,
        SyncRunsTableName: 'runs',
        OperationsTableName: 'operations',
        ActionsLogGroupName: 'actions',
        ArtifactsBucketName: bucketName,
      },
      'dev-OrderPipeline': {
        DownloadQueueUrl: queues.download.url,
        DownloadDeadLetterQueueUrl: queues.download.deadLetterUrl,
        ProcessingQueueUrl: queues.processing.url,
        ProcessingDeadLetterQueueUrl: queues.processing.deadLetterUrl,
        ReconcilerFunctionName: functionName,
      },
      'dev-SyncJobs': { StateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:x' },
      'dev-Observability': {
        ResumeRoleArn: 'arn:aws:iam::000000000000:role/resume',
        AlarmsSilentWhileDownloadPaused: 'none',
        AlarmsSilentWhileProcessingPaused: 'none',
        AlarmsSilentWhileSyncPaused: 'none',
      },
    },
  };
  writeFileSync(join(directory, 'endpoints.json'), JSON.stringify(running));
});
afterEach(async () => {
  await pipeline.stop();
  functions.close();
  rmSync(directory, { recursive: true });
});

const runProve = (...args: string[]) =>
  operate(['prove', '--local', '--wait', '0', ...args], { localStateDirectory: directory, now: pipeline.now });
const prove = async (...args: string[]) => {
  const { exitCode, stdout } = await runProve('--json', ...args);
  return { exitCode, ...JSON.parse(stdout) };
};

let orders = 0;
const createOpenOrder = async (): Promise<string> => {
  const id = `QO-${++orders}`;
  const status_details = { open: true };
  await pipeline.qualia.add({ ...qualiaOrder({ status_details }), _id: id, order_number: `MKT-${id}`, status: 'open' });
  return id;
};
const notify = async (id: string) => {
  await pipeline.post(notification({ order_id: id, timestamp: new Date(pipeline.advance(60_000)).toISOString() }));
};
const createProcessedOrder = async (): Promise<string> => {
  const id = await createOpenOrder();
  await notify(id);
  await pipeline.drain();
  return id;
};

test('every order is accounted for: posted, in flight, or visibly FAILED', async () => {
  await createProcessedOrder();
  await pipeline.qualia.change(await createProcessedOrder(), { status: 'Completed', status_details: { open: false } });
  const failing = await createOpenOrder();
  await pipeline.qualia.change(failing, { properties: [{ state: 'Nowhere' }] });
  await notify(failing);
  await pipeline.drain();
  await notify(await createOpenOrder());
  expect(await prove()).toMatchObject({
    exitCode: exitCodes.done,
    accounted_for: true,
    known: 3,
    held: 3,
    proven: 1,
    in_flight: 1,
    failed: 1,
    missing: 0,
    drifted: 0,
    stuck: 0,
    unchecked: 0,
    open: 3,
    left_the_open_set: 0,
    failed_since: 1,
    last_pass_at: null,
    unaccounted: [],
  });
  const { stdout } = await runProve();
  expect(stdout).toMatch(/^known at Qualia +3 /);
  expect(stdout).toContain('Every order that Qualia knows is accounted for');
});

test('every loss is reported until the reconciler has repaired it', async () => {
  const [drifted, closed, deleted] = [
    await createProcessedOrder(),
    await createProcessedOrder(),
    await createProcessedOrder(),
  ];
  pipeline.advance(1);
  await pipeline.reconcile();
  const missing = await createOpenOrder();
  await pipeline.qualia.change(drifted, { status_details: { open: true, accepted: true } });
  await pipeline.qualia.change(closed, { status: 'Completed', status_details: { open: false } });
  await pipeline.qualia.change(deleted, { status: 'Deleted', status_details: null });
  await pipeline.qualia.setFaults({ kind: 'null_order', match: { order_id: deleted } });
  pipeline.advance(hourMs);
  expect(await prove()).toMatchObject({
    exitCode: exitCodes.failed,
    accounted_for: false,
    known: 4,
    held: 3,
    proven: 1,
    missing: 1,
    drifted: 2,
    open: 2,
    left_the_open_set: 2,
    unaccounted: expect.arrayContaining([
      { order_id: missing, reason: 'missing' },
      { order_id: drifted, reason: 'drifted' },
      { order_id: closed, reason: 'drifted' },
    ]),
  });
  const { exitCode, stdout } = await runProve();
  expect(exitCode).toBe(exitCodes.failed);
  expect(stdout).toContain(`missing: ${missing}`);
  expect(stdout).toContain('3 orders of 4 not accounted for');

  await pipeline.qualia.setFaults();
  await pipeline.reconcile();
  expect(await prove()).toMatchObject({ exitCode: exitCodes.done, in_flight: 4 });
  await pipeline.drain();
  expect(await prove()).toMatchObject({ exitCode: exitCodes.done, proven: 4, last_pass_at: expect.any(String) });
});

test('the command waits for webhooks in flight', async () => {
  await createOpenOrder();
  const proof = operate(['prove', '--local', '--json', '--wait', '6'], {
    localStateDirectory: directory,
    now: pipeline.now,
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  await notify(`QO-${orders}`);
  const { exitCode, stdout } = await proof;
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: exitCodes.done, missing: 0, in_flight: 1 });
});

test('reports an order in flight for over 15 minutes, an unreadable item, and an unchecked order', async () => {
  const stuck = await createOpenOrder();
  await notify(stuck);
  await pipeline.purge('download');
  const unchecked = await createProcessedOrder();
  const unreadable = await createOpenOrder();
  await pipeline.putItem({ order_id: unreadable, status: 'POSTPONED' });
  pipeline.advance(2 * hourMs);
  expect(await prove('--since', '1h')).toMatchObject({
    exitCode: exitCodes.failed,
    stuck: 1,
    unchecked: 1,
    unreadable: 1,
    proven: 0,
    unaccounted: expect.arrayContaining([
      { order_id: stuck, reason: 'stuck' },
      { order_id: unchecked, reason: 'unchecked' },
      { order_id: unreadable, reason: 'unreadable' },
    ]),
  });
  expect(await prove('--since', '3h')).toMatchObject({ unchecked: 0, proven: 1 });
});

test('reports what it cannot prove if the list has no statuses or no end', async () => {
  await createProcessedOrder();
  await pipeline.qualia.setList({ status_fields: false });
  expect(await prove()).toMatchObject({ exitCode: exitCodes.done, status_shown: false, proven: 1 });
  expect((await runProve()).stdout).toContain('does not show statuses');
  for (let count = 0; count < 100; count++) await createOpenOrder();
  await pipeline.qualia.setList({ ignores_offset: true });
  expect(await prove()).toMatchObject({ exitCode: exitCodes.failed, list_complete: false });
});

test('changes nothing, and only calls Qualia for the list if all orders are current', async () => {
  const id = await createProcessedOrder();
  const before = await pipeline.rawItem(id);
  const calls = await pipeline.qualia.calls();
  await prove();
  expect(await pipeline.rawItem(id)).toBe(before);
  expect((await pipeline.qualia.calls()) - calls).toBe(2);
  expect(await pipeline.receive('download', 10)).toEqual([]);
});

test.each([
  [
    'a stage whose reconciler is of an earlier version',
    { ARTIFACTS_BUCKET_NAME: '' },
    exitCodes.unreachable,
    'deploy the stage first',
  ],
  ['no access to Qualia', { QUALIA_SECRET_ARN: 'internalApi' }, exitCodes.failed, 'The secret has the wrong shape'],
] as const)('%s', async (_, changes, exitCode, message) => {
  Object.assign(variables, changes);
  const outcome = await runProve();
  expect(outcome.exitCode).toBe(exitCode);
  expect(outcome.stderr).toContain(message);
});

test('Ctrl-C stops it without a result', async () => {
  await createOpenOrder();
  const { exitCode, stdout } = await operate(['prove', '--local', '--wait', '60'], {
    localStateDirectory: directory,
    now: pipeline.now,
    interruptAfterMs: 500,
  });
  expect({ exitCode, stdout }).toEqual({ exitCode: exitCodes.aborted, stdout: '' });
});

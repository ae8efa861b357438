import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { type EmbeddedTarget, startEmbeddedTarget } from '../../e2e/support/embedded-target';
import { eventually } from '../../local/fixture/start';
import { operate } from './operators';

// An outage of Qualia while eight orders wait, on the embedded AWS: one command shows what waits, why, and when it is
// tried next.

let pipeline: EmbeddedTarget;
beforeAll(async () => {
  pipeline = await startEmbeddedTarget();
});
afterAll(() => pipeline.stop());

const orderIds = Array.from({ length: 8 }, (_, index) => `QO-OUTAGE-${index + 1}`);

const pipelineCommand = (...args: readonly string[]) =>
  operate(['--state', pipeline.stateDirectory, ...args], { now: Date.now });

const postWebhook = async (orderId: string): Promise<number> => {
  const secrets = JSON.parse(readFileSync(join(pipeline.stateDirectory, 'secrets.json'), 'utf8'));
  const [{ username, password }] = secrets.WebhookSecret.basic;
  const { status } = await fetch(`${pipeline.target.apiUrl}/webhooks/qualia`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${btoa(`${username}:${password}`)}`,
    },
    body: JSON.stringify({
      description: 'Order created',
      timestamp: new Date().toISOString(),
      order_id: orderId,
      notification_type: 'order.created',
    }),
  });
  return status;
};

test('while Qualia is down, status shows what waits, why, and when it is tried next', async () => {
  expect((await pipelineCommand('rehearse', 'qualia')).exitCode).toBe(exitCodes.done);
  expect(await Promise.all(orderIds.map(postWebhook))).toEqual(orderIds.map(() => 200));

  // Until each order has met the outage, and a worker has opened its circuit: each process counts its own failures.
  await eventually(
    async () => JSON.parse((await pipelineCommand('status', '--json')).stdout),
    ({ waiting, circuits }) =>
      circuits.some(({ open }: { open: boolean }) => open) &&
      waiting.orders === orderIds.length &&
      waiting.groups.every(({ next_attempt_at }: { next_attempt_at: string | null }) => next_attempt_at !== null),
    120_000,
  );

  const { exitCode, stdout } = await pipelineCommand('status');
  expect(exitCode).toBe(exitCodes.failed);
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines[0]).toMatch(/^dev on this machine .* RED$/);
  expect(stdout).toMatch(/^! download makes no calls: Qualia has failed for \d+ minutes?\.$/m);
  expect(stdout).toMatch(/^download .*API_UNAVAILABLE 503 .* (in|due) \d/m);
  expect(stdout).toMatch(/^circuits +download open for (\d+m )?\d+s, processing closed$/m);

  const [orderId = ''] = orderIds;
  const order = JSON.parse((await pipelineCommand('orders', 'get', orderId, '--json')).stdout);
  expect(order).toMatchObject({
    order: { status: 'NOTIFIED' },
    tries: { worker: 'download', receives: expect.any(Number), next_attempt_at: expect.any(String) },
  });
  const trace = await pipelineCommand('orders', 'trace', orderId);
  expect(trace.stdout).toMatch(/NOTIFIED, still open\n {2}next attempt of download: /);
  expect(trace.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);

  // The access log of the API is searched too.
  const calls = 'filter route = "POST /webhooks/qualia" | stats count(*) as calls by status_code';
  const { rows } = JSON.parse((await pipelineCommand('logs', calls, '--json')).stdout);
  expect(rows).toEqual([{ status_code: '200', calls: String(orderIds.length) }]);
});

test('an outage leaves other faults of the simulator as they are', async () => {
  const faultsUrl = `${pipeline.target.simulators.qualia}/faults`;
  const other = { kind: 'slow', match: { order_id: 'QO-SLOW' } };
  await fetch(faultsUrl, { method: 'PUT', body: JSON.stringify([other]) });
  const kinds = async () => ((await (await fetch(faultsUrl)).json()) as { kind: string }[]).map(({ kind }) => kind);
  for (const _again of ['first', 'second']) await pipelineCommand('rehearse', 'qualia');
  expect(await kinds()).toEqual(['server_error', 'slow']);
  const { stdout } = await pipelineCommand('rehearse', 'qualia', '--end');
  expect(stdout).toBe('The qualia API responds again: orders resume at their next attempt.\n');
  expect(await kinds()).toEqual(['slow']);
});

test('only an API on this machine can fail', async () => {
  const { exitCode, stderr } = await operate(['--stage', 'dev', 'rehearse', 'qualia', '--reason', 'drill'], {
    now: Date.now,
  });
  expect(exitCode).toBe(exitCodes.usage);
  expect(stderr).toContain('only an API on this machine can fail');
});

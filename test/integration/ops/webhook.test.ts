import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { connectToStage } from '../../../ops/services/stage-connection';
import { openWebhook } from '../../../ops/services/webhook';
import { webhookSamples } from '../../../samples/webhook-samples';
import { type EmbeddedTarget, startEmbeddedTarget } from '../../e2e/support/embedded-target';
import { eventually } from '../../local/fixture/start';
import { name as personName, sensitiveValuesIn } from '../../support/personal-data';
import { operate } from './operators';

// The verbs of the webhook against the whole pipeline on the embedded AWS.

let pipeline: EmbeddedTarget;
let s3: S3Client;
beforeAll(async () => {
  pipeline = await startEmbeddedTarget();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({ region: 'us-east-1', credentials, endpoint: String(pipeline.target.endpoints.s3) });
});
afterAll(async () => {
  s3.destroy();
  await pipeline.stop();
});

const pipelineCommand = (...args: readonly string[]) =>
  operate([...args, '--state', pipeline.stateDirectory], { now: Date.now });

const printed = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await pipelineCommand(...args, '--json');
  return { exitCode, stderr, ...JSON.parse(stdout) };
};

const statusOf = async (orderId: string) => (await printed('orders', 'get', orderId)).order?.status;

const post = async (body: object): Promise<number> => {
  const secrets = JSON.parse(readFileSync(join(pipeline.stateDirectory, 'secrets.json'), 'utf8'));
  const [{ username, password }] = secrets.WebhookSecret.basic;
  const headers = { 'content-type': 'application/json', authorization: `Basic ${btoa(`${username}:${password}`)}` };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(`${pipeline.target.apiUrl}/webhooks/qualia`, request)).status;
};

describe('webhook send', () => {
  test('cannot post before its action is recorded', async () => {
    const connection = await connectToStage({ stage: 'dev', localStateDirectory: pipeline.stateDirectory });
    const { post: send } = await openWebhook(connection, Date.now);
    const call = { name: 'x', method: 'POST', path: '/webhooks/qualia', headers: {}, body: '{}' };
    await expect(send({ ...call, authentication: 'none' })).rejects.toThrow(
      'POST /webhooks/qualia changes something, but the verb does not record it',
    );
    connection.close();
  });

  test('sends a new order each time, which is processed', async () => {
    const first = await printed('webhook', 'send', 'GU', '--new');
    const second = await printed('webhook', 'send', 'GU', '--new', '--signed');
    expect(first).toMatchObject({ exitCode: 0, status: 200, authentication: 'basic', response: { status: 'queued' } });
    expect(second).toMatchObject({ exitCode: 0, authentication: 'signature', response: { status: 'queued' } });
    expect(first.order_id).not.toBe(second.order_id);
    for (const { order_id, next } of [first, second]) {
      expect(next).toBe(`pipeline --state ${pipeline.stateDirectory} orders trace ${order_id}`);
      await eventually(
        () => statusOf(order_id),
        (status) => status === 'PROCESSED',
      );
    }
  });

  test('sends the same order again as a duplicate, without --new', async () => {
    expect(await printed('webhook', 'send')).toMatchObject({
      order_id: 'QO-SAMPLE-TX',
      response: { status: 'queued' },
    });
    expect(await printed('webhook', 'send')).toMatchObject({ response: { status: 'duplicate' } });
    const { exitCode, stdout } = await pipelineCommand('webhook', 'send', 'activity', '--order', 'QO-SAMPLE-TX');
    expect(exitCode).toBe(exitCodes.done);
    expect(stdout).toMatch(
      /^POST \/webhooks\/qualia 200\n\{\n[\s\S]*\}\n\npipeline --state \S+ orders trace QO-SAMPLE-TX\n$/,
    );
  });

  test.each(
    webhookSamples
      .filter(({ orderOf }) => orderOf === undefined)
      .map(({ name, expectedStatus }) => [name, expectedStatus]),
  )('%s is refused with %i', async (sample, status) => {
    expect(await printed('webhook', 'send', String(sample))).toMatchObject({ exitCode: 0, status, next: null });
  });

  test('is recorded', async () => {
    const { actions } = await printed('actions');
    expect(actions).toContainEqual(
      expect.objectContaining({ verb: 'webhook send', ids: ['QO-SAMPLE-TX'], outcome: 'done' }),
    );
  });
});

describe('webhooks refused', () => {
  const body = { type: 'order_exploded', order_id: 'QO-SAMPLE-TX', description: personName };

  test('lists a kept body and shows its structure; the values only on request, which is recorded', async () => {
    expect(await post(body)).toBe(422);
    const { bodies } = await printed('webhooks', 'refused', 'list', '--since', '1h', '--limit', '500');
    const kept = bodies.find(({ bytes }: { bytes: number }) => bytes === JSON.stringify(body).length);
    expect(kept).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      details: [{ path: 'type', message: expect.stringContaining('must be one of') }],
    });
    const list = await pipelineCommand('webhooks', 'refused', 'list');
    expect(list.stdout).toMatch(new RegExp(`^${kept.id} {2}\\d+s ago {2,}type must be one of`, 'm'));
    expect(list.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);

    const show = await pipelineCommand('webhooks', 'refused', 'show', kept.id);
    expect(show.stdout).toContain(`  description: a string of ${personName.length} characters\n`);
    expect(sensitiveValuesIn(list.stdout + show.stdout + show.stderr)).toEqual([]);
    const revealed = await pipelineCommand('webhooks', 'refused', 'show', kept.id, '--reveal', '--reason', 'a ticket');
    expect(revealed.stdout).toContain(JSON.stringify(body));
    const { actions } = await printed('actions');
    expect(actions.filter(({ verb }: { verb: string }) => verb === 'webhook refused show')).toMatchObject([
      { ids: [kept.id], reason: 'a ticket' },
    ]);
  });

  test('never keeps a body of an unknown sender', async () => {
    const unknown = { ...body, description: 'from an unknown sender' };
    const request = { method: 'POST', body: JSON.stringify(unknown) };
    expect((await fetch(`${pipeline.target.apiUrl}/webhooks/qualia`, request)).status).toBe(401);
    const { bodies } = await printed('webhooks', 'refused', 'list', '--limit', '500');
    expect(bodies.map(({ bytes }: { bytes: number }) => bytes)).not.toContain(JSON.stringify(unknown).length);
  });

  /** Replaces a kept body by one that the webhook accepts: as if the webhook had been corrected since. */
  const correct = async (id: string, accepted: object): Promise<void> => {
    const key = { Bucket: pipeline.target.outputs.RawBucketName, Key: `refused/${id}.json` };
    const { Body } = await s3.send(new GetObjectCommand(key));
    const kept = JSON.parse((await Body?.transformToString()) ?? '');
    await s3.send(new PutObjectCommand({ ...key, Body: JSON.stringify({ ...kept, body: JSON.stringify(accepted) }) }));
  };

  test('accepts a body once, and keeps one that is refused again', async () => {
    const { order_id } = await printed('webhook', 'send', 'TX', '--new');
    await eventually(
      () => statusOf(order_id),
      (status) => status === 'PROCESSED',
    );
    expect(await post({ ...body, description: 'a body that stays refused' })).toBe(422);
    expect(await post({ ...body, description: 'a body that will be accepted' })).toBe(422);
    const { bodies } = await printed('webhooks', 'refused', 'list', '--limit', '2');
    const [{ id }, { id: refusedAgain }] = bodies;
    await correct(id, { type: 'order_completed', order_id, description: 'corrected' });

    const accept = ['webhooks', 'refused', 'accept', refusedAgain, id, '--yes'];
    const { exitCode, stdout } = await pipelineCommand(...accept);
    expect(exitCode).toBe(exitCodes.failed);
    expect(stdout).toContain(`${id} accepted: pipeline --state ${pipeline.stateDirectory} orders trace ${order_id}\n`);
    expect(stdout).toMatch(new RegExp(`^${refusedAgain} refused again: type must be one of`, 'm'));
    expect(stdout).toContain('1 of 2 bodies accepted.\n');
    await eventually(
      () => printed('orders', 'get', order_id),
      ({ order }) => order.notification_type === 'order_completed' && order.status === 'PROCESSED',
    );

    const again = await pipelineCommand('webhooks', 'refused', 'accept', id, '--yes');
    expect(again.exitCode).toBe(exitCodes.failed);
    expect(again.stderr).toContain(`There is no refused body ${id}: it was accepted before, or it has expired.`);
    expect((await pipelineCommand('webhooks', 'refused', 'show', refusedAgain)).exitCode).toBe(exitCodes.done);
  });
});

test('samples are never sent to prod', async () => {
  const { exitCode, stderr } = await operate(['webhook', 'send', '--stage', 'prod', '--reason', 'no']);
  expect(exitCode).toBe(exitCodes.usage);
  expect(stderr).toContain('--stage prod is refused: samples are made-up orders');
});

test('the samples are listed without a stage', async () => {
  const { exitCode, stdout } = await operate(['webhook', 'send', '--list']);
  expect(exitCode).toBe(exitCodes.done);
  expect(stdout).toMatch(/^ {2}AL AK AZ /m);
  expect(stdout).toMatch(/^wrong-password +401 {5}refused: wrong password$/m);
});

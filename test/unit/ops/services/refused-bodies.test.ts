import { NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Acceptance, createRefusedBodyService } from '../../../../ops/services/refused-bodies';
import type { StageConnection } from '../../../../ops/services/stage-connection';
import { fakeAwsClient } from '../../../support/aws-client';
import { type ScriptedServer, startScriptedServer } from '../../../support/scripted-server';
import { unconfigured } from '../../../support/unconfigured';

const ids = ['a', 'b'].map((letter) => letter.repeat(32));
const [id = ''] = ids;
const keyOf = (of: string) => `refused/${of}.json`;

let webhook: ScriptedServer;
beforeEach(async () => {
  webhook = await startScriptedServer();
});
afterEach(() => webhook.stop());

/** A stage that has kept a body under each id. Deletions fail while `isDown`. */
const open = ({ secret = { basic: [{ username: 'qualia', password: 'pass-word' }] } }: { secret?: object } = {}) => {
  const kept = (body: string) =>
    JSON.stringify({ received_at: '2026-01-31T12:00:00.000Z', request_id: 'request-1', details: [], body });
  const objects = new Map(ids.map((of) => [keyOf(of), kept(`{"of":"${of}"}`)]));
  const store = { objects, isDown: false };
  const s3 = fakeAwsClient<S3Client>(({ Key }, command) => {
    const key = String(Key);
    if (command === 'GetObjectCommand') {
      const text = objects.get(key);
      if (text === undefined) throw new NoSuchKey({ message: 'none', $metadata: {} });
      return { Body: { transformToString: async () => text } };
    }
    if (command === 'DeleteObjectCommand') {
      if (store.isDown) throw new Error('S3 is down');
      objects.delete(key);
      return {};
    }
    return unconfigured(command)();
  }).client;
  const secretsManager = fakeAwsClient<SecretsManagerClient>(() => ({ SecretString: JSON.stringify(secret) })).client;
  const changes = { check: () => undefined };
  const address = { apiUrl: webhook.origin, secretArn: 'arn' };
  const stage = { s3, secretsManager, changes, rawBucketName: 'raw', webhook: address };
  const service = createRefusedBodyService(stage as unknown as StageConnection, Date.now);
  const accept = async (which: readonly string[], signal = new AbortController().signal): Promise<Acceptance[]> => {
    const results: Acceptance[] = [];
    for await (const result of service.accept(which, signal)) results.push(result);
    return results;
  };
  return { accept, store };
};

const accepted = { body: { order_id: 'QO-1', status: 'queued' } };
const refused = { status: 422, body: { error: 'validation_failed', details: [{ path: 'type', message: 'is wrong' }] } };

test('sends each body as it was received, with a credential, and deletes what is accepted', async () => {
  const { accept, store } = open();
  webhook.respond(refused, accepted);
  expect(await accept(ids)).toEqual([
    { id, accepted: false, details: [{ path: 'type', message: 'is wrong' }] },
    { id: ids[1], accepted: true, orderId: 'QO-1', outcome: 'queued' },
  ]);
  expect(webhook.calls.map(({ method, path, body }) => [method, path, body])).toEqual(
    ids.map((of) => ['POST', '/webhooks/qualia', `{"of":"${of}"}`]),
  );
  expect(webhook.calls[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: `Basic ${btoa('qualia:pass-word')}`,
  });
  expect([...store.objects.keys()]).toEqual([keyOf(id)]);
});

test('signs if the stage has only signing secrets', async () => {
  const { accept } = open({ secret: { signing_secrets: [`whsec_${btoa('0123456789abcdef01234567')}`] } });
  webhook.respond(accepted);
  await accept([id]);
  expect(webhook.calls[0]?.headers).toMatchObject({ 'webhook-signature': expect.stringMatching(/^v1,/) });
});

test('a crash between the response and the deletion keeps the body; accepted twice, it is absent', async () => {
  const { accept, store } = open();
  store.isDown = true;
  webhook.respond(accepted, { body: { order_id: 'QO-1', status: 'duplicate' } });
  await expect(accept([id])).rejects.toThrow('S3 is down');
  expect(store.objects.has(keyOf(id))).toBe(true);
  store.isDown = false;
  expect(await accept([id])).toMatchObject([{ accepted: true, outcome: 'duplicate' }]);
  await expect(accept([id])).rejects.toThrow(`There is no refused body ${id}`);
  expect(webhook.calls).toHaveLength(2);
});

test.each([
  ['an error', { status: 500 }, 'The webhook responded 500'],
  ['a throttled call', { status: 429 }, 'The webhook responded 429'],
  ['a refused credential', { status: 401 }, 'The webhook responded 401'],
  ['no response', { hangUp: true }, 'does not respond'],
])('%s ends the work, and the body is kept', async (_, response, message) => {
  const { accept, store } = open();
  webhook.respond(response);
  await expect(accept(ids)).rejects.toThrow(message);
  expect(store.objects.size).toBe(2);
  expect(webhook.calls).toHaveLength(1);
});

test('an interruption ends the work before the next body', async () => {
  const { accept, store } = open();
  expect(await accept(ids, AbortSignal.abort())).toEqual([]);
  expect(store.objects.size).toBe(2);
});

test('a secret that was not filled is named', async () => {
  const { accept } = open({ secret: { basic: 'random text' } });
  await expect(accept([id])).rejects.toThrow("The webhook's secret has not been filled.");
});

import { S3Client } from '@aws-sdk/client-s3';
import { createPayloadStore } from '../../../../shared/orders/payload-store';
import { checksum, orderId, round } from '../../../support/orders';
import { type ScriptedResponse, startScriptedServer } from '../../../support/scripted-server';

const bytes = Buffer.from('payload');
const conflict: ScriptedResponse = {
  status: 409,
  headers: { 'content-type': 'application/xml' },
  body: '<Error><Code>ConditionalRequestConflict</Code><Message>Try again</Message></Error>',
};

/** Stores a payload in an S3 that sends these responses. */
const storePayload = async (...responses: readonly ScriptedResponse[]) => {
  const server = await startScriptedServer();
  server.respond(...responses);
  const client = new S3Client({
    endpoint: server.origin,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  try {
    const stored = await createPayloadStore(client, 'raw').keep(orderId(), round(), bytes);
    return { stored, methods: server.calls.map(({ method }) => method) };
  } finally {
    client.destroy();
    await server.stop();
  }
};

const s3Key = `raw/QO-123456/${round()}.json`;
const stored = { s3Key, checksum: checksum('payload'), sizeBytes: 7 };

test('retries after a conflict between two deliveries that write at once', async () => {
  expect(await storePayload(conflict, {})).toEqual({ stored: { ...stored, isNew: true }, methods: ['PUT', 'PUT'] });
});

test('keeps the bytes of the other delivery if it wrote first', async () => {
  const exists: ScriptedResponse = { status: 412, body: '<Error><Code>PreconditionFailed</Code></Error>' };
  const other = { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from('other') };
  expect(await storePayload(conflict, exists, other)).toEqual({
    stored: { s3Key, checksum: checksum('other'), sizeBytes: 5, isNew: false },
    methods: ['PUT', 'PUT', 'GET'],
  });
});

test('fails after three conflicts, so that the next receive retries', async () => {
  await expect(storePayload(conflict, conflict, conflict)).rejects.toMatchObject({
    name: 'ConditionalRequestConflict',
  });
});

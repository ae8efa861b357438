import { S3Client } from '@aws-sdk/client-s3';
import { createPayloadStore, type PayloadStore } from '../../../../shared/orders/payload-store';
import { orderMemory } from '../../../support/order-memory';
import { checksum, orderId, round } from '../../../support/orders';
import { type ScriptedResponse, startScriptedServer } from '../../../support/scripted-server';

const bytes = Buffer.from('payload');
const conflict: ScriptedResponse = {
  status: 409,
  headers: { 'content-type': 'application/xml' },
  body: '<Error><Code>ConditionalRequestConflict</Code><Message>Try again</Message></Error>',
};

/** Uses a store in an S3 that sends these responses. @returns the result, and the methods of the requests */
const withStore = async <T>(
  responses: readonly ScriptedResponse[],
  use: (store: PayloadStore) => Promise<T>,
): Promise<{ readonly result: T; readonly methods: readonly string[] }> => {
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
    return {
      result: await use(createPayloadStore(client, 'raw')),
      methods: server.calls.map(({ method }) => method),
    };
  } finally {
    client.destroy();
    await server.stop();
  }
};

const storePayload = async (...responses: readonly ScriptedResponse[]) => {
  const { result, methods } = await withStore(responses, (store) => store.keep(orderId(), round(), bytes));
  return { stored: result, methods };
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

describe('a payload that is loaded with limited memory', () => {
  const load = async (fits: readonly boolean[], ...responses: readonly ScriptedResponse[]) => {
    const actions: unknown[] = [];
    const left = [...fits];
    const memory = {
      ...orderMemory(),
      tryReserve: (size: number) => {
        actions.push(['try', size]);
        return left.shift() ?? true;
      },
      reserve: async (size: number) => {
        actions.push(['wait', size]);
      },
    };
    const { result } = await withStore(responses, (store) => store.load(s3Key, memory));
    return { loaded: Buffer.from(result).toString(), actions };
  };
  const object = { headers: { 'content-type': 'application/json', 'content-length': '7' }, body: bytes };

  test('is read at once if there is memory for its length', async () => {
    expect(await load([true], object)).toEqual({ loaded: 'payload', actions: [['try', 7]] });
  });

  test('counts as the largest order if its length is unknown', async () => {
    const { headers: _, ...unknownLength } = object;
    const response = { ...unknownLength, headers: { 'content-type': 'application/json' } };
    expect(await load([true], response)).toEqual({ loaded: 'payload', actions: [['try', 4 * 1_024 * 1_024]] });
  });

  test('is not read if it is larger than any order', async () => {
    const body = Buffer.alloc(4 * 1_024 * 1_024 + 1);
    await expect(
      load([], { ...object, headers: { 'content-length': String(body.length) }, body }),
    ).rejects.toMatchObject({ code: 'BAD_PAYLOAD', retryable: false });
  });

  test('is requested again after a wait, so that no connection waits', async () => {
    expect(await load([false], object, object)).toEqual({
      loaded: 'payload',
      actions: [
        ['try', 7],
        ['wait', 7],
        ['try', 7],
      ],
    });
  });
});

import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { OrderId, Round } from '../../../../shared/orders/order';
import type { FailureRecord, OrderRepository } from '../../../../shared/orders/repository';
import { createOrderRepository, failedOrdersIndex } from '../../../../shared/orders/repository';
import { roundAfter } from '../../../../shared/orders/round';
import { checksum, orderId, requestId, round } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createOrdersTable } from '../../support/resources';

const chargedSchema = z.object({ ConsumedCapacity: z.object({ CapacityUnits: z.number() }) });

/** What DynamoDB charged for each write, in write units. */
const writeUnits: number[] = [];
const clients = createClients();
clients.dynamodb.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      if (commandName !== 'UpdateItemCommand') return next(args);
      const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
      writeUnits.push(chargedSchema.parse(result.output).ConsumedCapacity.CapacityUnits);
      return result;
    },
  { step: 'initialize' },
);
let tableName: string;
let repository: OrderRepository;
beforeAll(async () => {
  tableName = await createOrdersTable(clients);
  repository = createOrderRepository(clients.documents, tableName);
});
afterAll(() => clients.destroy());

const notified = { requestId: requestId(), notificationType: 'order.created', notifiedAtMs: Date.UTC(2026, 0, 1) };
const start = (id: OrderId, of: Round) => repository.startRound({ orderId: id, round: of, ...notified });
const download = (id: OrderId, of: Round, fields: { s3Key?: string; payload?: string; receiveCount?: number } = {}) =>
  repository.recordDownload(id, of, {
    s3Key: fields.s3Key ?? `raw/${id}/${of}.json`,
    checksum: checksum(fields.payload),
    payloadSizeBytes: 5_000,
    receiveCount: fields.receiveCount ?? 1,
    downloadedAtMs: Date.UTC(2026, 0, 1, 1),
  });
const process = (id: OrderId, of: Round, payload?: string) =>
  repository.recordProcessing(id, of, {
    posted: { bodyHash: checksum(payload), fieldDigests: 'abc' },
    repost: undefined,
    warnings: [],
    receiveCount: 1,
    processedAtMs: Date.UTC(2026, 0, 1, 2),
  });
const failure: FailureRecord = {
  code: 'API_REFUSED',
  message: 'The internal API answered 400',
  stage: 'processing',
  answer: '{"error":"no such product"}',
  receiveCount: 1,
  failedAtMs: Date.UTC(2026, 0, 1, 3),
};

const failedOrders = async (): Promise<unknown[]> => {
  const pages = await Promise.all(
    failedOrdersIndex.shards.map((shard) =>
      clients.documents.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: failedOrdersIndex.name,
          KeyConditionExpression: 'failed_shard = :shard',
          ExpressionAttributeValues: { ':shard': shard },
        }),
      ),
    ),
  );
  return pages.flatMap(({ Items = [] }) => Items.map(({ order_id }) => order_id as unknown));
};

test('an order keeps what happened to it', async () => {
  const id = orderId('whole-life');
  await start(id, round(1));
  await download(id, round(1), { receiveCount: 3 });
  await repository.recordProcessing(id, round(1), {
    posted: { bodyHash: checksum(), fieldDigests: 'abc' },
    repost: undefined,
    warnings: [{ code: 'BAD_DATE', field: 'due_date' }],
    receiveCount: 2,
    processedAtMs: Date.UTC(2026, 0, 1, 2),
  });
  expect(await repository.read(id)).toEqual({
    order_id: id,
    round: round(1),
    status: 'PROCESSED',
    request_id: 'request-1',
    notification_type: 'order.created',
    notified_at: '2026-01-01T00:00:00.000Z',
    downloaded_at: '2026-01-01T01:00:00.000Z',
    processed_at: '2026-01-01T02:00:00.000Z',
    s3_key: `raw/${id}/${round(1)}.json`,
    checksum: checksum(),
    previous_status: 'NONE',
    processed_checksum: checksum(),
    posted_fields: 'abc',
    posted_round: round(1),
    payload_size: 5_000,
    attempts: 2,
    warnings: [{ code: 'BAD_DATE', field: 'due_date' }],
  });
});

test('an order keeps why it failed, and what the internal API said', async () => {
  const id = orderId('failed-life');
  await start(id, round(1));
  await download(id, round(1));
  await repository.recordFailure(id, round(1), failure);
  const { receiveCount, failedAtMs, ...error } = failure;
  expect(await repository.read(id)).toMatchObject({
    status: 'FAILED',
    failed_at: '2026-01-01T03:00:00.000Z',
    error,
    checksum: checksum(),
  });
});

describe('a round from stored bytes', () => {
  const stored = (after: Round, downloadStartedAtMs?: number) => ({
    after,
    download: {
      ...{ s3Key: 'raw/stored/old.json', checksum: checksum(), payloadSizeBytes: 5_000, receiveCount: 0 },
      ...{ startedAtMs: downloadStartedAtMs, downloadedAtMs: Date.UTC(2026, 0, 2) },
    },
  });
  const begin = (id: OrderId, of: Round, after: Round, startedAtMs?: number) =>
    repository.startRound({ orderId: id, round: of, ...notified, stored: stored(after, startedAtMs) });

  it('begins as DOWNLOADED, and leaves nothing of the round before but what was posted', async () => {
    const id = orderId('stored');
    await repository.startRound({ orderId: id, round: round(1), ...notified, occurredAt: '2026-01-01T00:00:00.5Z' });
    await download(id, round(1));
    await process(id, round(1));
    expect(await begin(id, round(5), round(1), Date.UTC(2026, 0, 1))).toEqual({ applied: true });
    expect(await repository.read(id)).toEqual({
      ...{ order_id: id, round: round(5), status: 'DOWNLOADED', previous_status: 'PROCESSED', attempts: 0 },
      ...{ request_id: 'request-1', notification_type: 'order.created', notified_at: '2026-01-01T00:00:00.000Z' },
      ...{ download_started_at: '2026-01-01T00:00:00.000Z', downloaded_at: '2026-01-02T00:00:00.000Z' },
      ...{ s3_key: 'raw/stored/old.json', checksum: checksum(), payload_size: 5_000 },
      ...{ processed_checksum: checksum(), posted_fields: 'abc', posted_round: round(1) },
    });
    expect(await process(id, round(5))).toEqual({ applied: true });
  });

  it('takes a FAILED order out of the index', async () => {
    const id = orderId('stored-after-failure');
    await start(id, round(1));
    await download(id, round(1));
    await repository.recordFailure(id, round(1), failure);
    expect(await begin(id, round(2), round(1))).toEqual({ applied: true });
    expect(await failedOrders()).not.toContain(id);
    expect(await repository.read(id)).not.toHaveProperty('download_started_at');
  });

  it('is refused once another round has begun, even one that sorts before it', async () => {
    const id = orderId('stored-too-late');
    await start(id, round(1));
    await start(id, round(2));
    expect(await begin(id, round(9), round(1))).toMatchObject({
      applied: false,
      order: { round: round(2), status: 'NOTIFIED' },
    });
  });

  it('is refused where there is no order', async () => {
    expect(await begin(orderId('stored-for-nobody'), round(9), round(1))).toMatchObject({ applied: false });
  });
});

test('FAILED orders alone are in the index, wherever they go from there', async () => {
  const failAs = async (name: string, code: FailureRecord['code']) => {
    const id = orderId(name);
    await start(id, round(1));
    await download(id, round(1));
    await repository.recordFailure(id, round(1), { ...failure, code });
    return id;
  };
  const stays = await failAs('index-stays', 'API_REFUSED');
  const replayed = await failAs('index-replayed', 'API_REFUSED');
  const downloadedAgain = await failAs('index-downloaded', 'RETRIES_EXHAUSTED');
  const processed = await failAs('index-processed', 'RETRIES_EXHAUSTED');
  expect(await failedOrders()).toEqual(expect.arrayContaining([stays, replayed, downloadedAgain, processed]));

  await start(replayed, round(2));
  await download(downloadedAgain, round(1));
  await process(processed, round(1));
  const left = await failedOrders();
  expect(left).toContain(stays);
  for (const id of [replayed, downloadedAgain, processed]) {
    expect(left).not.toContain(id);
    expect(await repository.read(id)).not.toHaveProperty('error');
  }
});

test('failed orders spread over all shards of the index', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => orderId(`shard-${index}`));
  for (const id of ids) {
    await start(id, round(1));
    await repository.recordFailure(id, round(1), { ...failure, stage: 'download' });
  }
  expect(await failedOrders()).toEqual(expect.arrayContaining(ids));
  for (const shard of failedOrdersIndex.shards) {
    const { Count = 0 } = await clients.documents.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: failedOrdersIndex.name,
        KeyConditionExpression: 'failed_shard = :shard',
        ExpressionAttributeValues: { ':shard': shard },
      }),
    );
    expect(Count).toBeGreaterThan(0);
  }
});

test('each write of a clean order costs one write unit, however long its ids are', async () => {
  const id = orderId('x'.repeat(128));
  const longest = { ...notified, requestId: requestId('r'.repeat(64)), notificationType: 'order_revision_requested' };
  writeUnits.length = 0;
  for (const each of [round(1), round(2)]) {
    await repository.startRound({ orderId: id, round: each, ...longest });
    await download(id, each);
    await process(id, each);
  }
  expect(writeUnits).toEqual([1, 1, 1, 1, 1, 1]);
});

describe('of writers at the same time, exactly one wins', () => {
  const writers = Array.from({ length: 12 }, (_, index) => index);
  const appliedOf = (outcomes: readonly { applied: boolean }[]) => outcomes.filter(({ applied }) => applied).length;

  test('the same round, requested many times', async () => {
    const id = orderId('race-start');
    expect(appliedOf(await Promise.all(writers.map(() => start(id, round(1)))))).toBe(1);
  });

  test('many rounds: the newest stays', async () => {
    const id = orderId('race-rounds');
    await Promise.all(writers.map((index) => start(id, round(1_000 + ((index * 7) % writers.length)))));
    expect(await repository.read(id)).toMatchObject({ round: round(1_000 + writers.length - 1) });
  });

  test('many downloads: the others see the one that won', async () => {
    const id = orderId('race-download');
    await start(id, round(1));
    const outcomes = await Promise.all(
      writers.map((index) => download(id, round(1), { s3Key: `raw/${index}`, payload: `payload ${index}` })),
    );
    const winner = outcomes.findIndex(({ applied }) => applied);
    expect(appliedOf(outcomes)).toBe(1);
    for (const outcome of outcomes.filter(({ applied }) => !applied))
      expect(outcome).toMatchObject({ order: { s3_key: `raw/${winner}`, checksum: checksum(`payload ${winner}`) } });
  });

  test('success and failure of the same step', async () => {
    const id = orderId('race-end');
    await start(id, round(1));
    await download(id, round(1));
    const outcomes = await Promise.all(
      writers.map((index) =>
        index % 2 === 0 ? process(id, round(1)) : repository.recordFailure(id, round(1), failure),
      ),
    );
    expect(appliedOf(outcomes)).toBe(1);
    const winner = outcomes.findIndex(({ applied }) => applied);
    expect(await repository.read(id)).toMatchObject({ status: winner % 2 === 0 ? 'PROCESSED' : 'FAILED' });
  });

  test('the end of a round and the begin of the next: the next one stays', async () => {
    const id = orderId('race-next');
    await start(id, round(1));
    await download(id, round(1));
    await Promise.all([process(id, round(1)), start(id, roundAfter(round(1), 2)), process(id, round(1))]);
    expect(await repository.read(id)).toMatchObject({ status: 'NOTIFIED' });
  });
});

describe('a write whose first answer is lost, and that the SDK makes again', () => {
  const impatient = createClients();
  afterAll(() => impatient.destroy());
  /** What happens while the first answer is on its way; it never arrives. */
  let meanwhile: (() => Promise<unknown>) | undefined;
  impatient.dynamodb.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'UpdateItemCommand' || meanwhile === undefined) return next(args);
        const act = meanwhile;
        meanwhile = undefined;
        await next(args).catch(() => undefined);
        await act();
        throw Object.assign(new Error('The connection was reset'), { name: 'TimeoutError' });
      },
    { step: 'deserialize' },
  );
  const losing = (act: () => Promise<unknown> = async () => undefined): OrderRepository => {
    meanwhile = act;
    return createOrderRepository(impatient.documents, tableName);
  };
  const answer = { checksum: checksum(), receiveCount: 1 };
  const downloading = { ...answer, s3Key: 'raw/key', payloadSizeBytes: 5_000, downloadedAtMs: Date.UTC(2026, 0, 1, 1) };
  const processing = {
    posted: { bodyHash: checksum(), fieldDigests: 'abc' },
    repost: undefined,
    receiveCount: 1,
    warnings: [{ code: 'BAD_DATE' as const, field: 'due_date' }],
    processedAtMs: Date.UTC(2026, 0, 1, 2),
  };

  test('took effect: it is not mistaken for the write of another worker', async () => {
    const id = orderId('lost-answers');
    expect(await losing().startRound({ orderId: id, round: round(1), ...notified })).toEqual({ applied: true });
    expect(await losing().recordDownload(id, round(1), downloading)).toEqual({ applied: true });
    const stored = { after: round(1), download: { ...downloading, receiveCount: 0 } };
    const fromStored = { orderId: orderId('lost-answers-stored'), ...notified };
    await start(fromStored.orderId, round(1));
    expect(await losing().startRound({ ...fromStored, round: round(2), stored })).toEqual({ applied: true });
    expect(await losing().recordProcessing(id, round(1), processing)).toEqual({ applied: true });
    await start(id, round(2));
    await download(id, round(2));
    expect(await losing().recordFailure(id, round(2), failure)).toEqual({ applied: true });
    expect(meanwhile).toBeUndefined();
  });

  test('was made, and then another round began: the order is no longer ours', async () => {
    const id = orderId('lost-and-overtaken');
    await start(id, round(1));
    await download(id, round(1));
    const written = await losing(() => start(id, round(2))).recordFailure(id, round(1), failure);
    expect(written).toMatchObject({ applied: false, order: { status: 'NOTIFIED', round: round(2) } });
  });

  test('was refused: it stays refused', async () => {
    const id = orderId('lost-and-refused');
    await start(id, round(1));
    await download(id, round(1));
    await process(id, round(1));
    const other = { ...downloading, downloadedAtMs: Date.UTC(2026, 0, 1, 9) };
    expect(await losing().recordDownload(id, round(1), other)).toMatchObject({
      applied: false,
      order: { status: 'PROCESSED' },
    });
    expect(meanwhile).toBeUndefined();
  });
});

test('an item that is none of ours is not taken for an order', async () => {
  await clients.documents.send(new PutCommand({ TableName: tableName, Item: { order_id: 'strange', status: 'LOST' } }));
  await expect(repository.read(orderId('strange'))).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: false });
});

import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { failedOrdersIndex } from '../../../../shared/orders/failed-orders-index';
import type { OrderId, Round } from '../../../../shared/orders/order';
import type { FailureRecord, OrderRepository } from '../../../../shared/orders/repository';
import { createOrderRepository } from '../../../../shared/orders/repository';
import { roundAfter } from '../../../../shared/orders/round';
import { checksum, orderId, requestId, round } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createOrdersTable } from '../../support/resources';

const consumedSchema = z.object({ ConsumedCapacity: z.object({ CapacityUnits: z.number() }) });

/** The write units that DynamoDB charged for each write. */
const writeUnits: number[] = [];
const clients = createClients();
clients.dynamodb.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      if (commandName !== 'UpdateItemCommand') return next(args);
      const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
      writeUnits.push(consumedSchema.parse(result.output).ConsumedCapacity.CapacityUnits);
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
  issueId: '0123abcd',
  response: '{"error":"no such product"}',
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

test('an order contains the data of every transition', async () => {
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

test("a failed order contains the error and the internal API's response", async () => {
  const id = orderId('failed-life');
  await start(id, round(1));
  await download(id, round(1));
  await repository.recordFailure(id, round(1), failure);
  const { receiveCount, failedAtMs, response, issueId, ...error } = failure;
  expect(await repository.read(id)).toMatchObject({
    status: 'FAILED',
    failed_at: '2026-01-01T03:00:00.000Z',
    error: { ...error, issue_id: issueId, answer: response },
    checksum: checksum(),
  });
});

describe('a round that starts from a stored payload', () => {
  const stored = (after: Round, downloadStartedAtMs?: number) => ({
    after,
    download: {
      s3Key: 'raw/stored/old.json',
      checksum: checksum(),
      payloadSizeBytes: 5_000,
      receiveCount: 0,
      startedAtMs: downloadStartedAtMs,
      downloadedAtMs: Date.UTC(2026, 0, 2),
    },
  });
  const startStored = (id: OrderId, of: Round, after: Round, startedAtMs?: number) =>
    repository.startRound({ orderId: id, round: of, ...notified, ...stored(after, startedAtMs) });

  it('starts as DOWNLOADED, and keeps only the posted state of the previous round', async () => {
    const id = orderId('stored');
    await repository.startRound({ orderId: id, round: round(1), ...notified, occurredAt: '2026-01-01T00:00:00.5Z' });
    await download(id, round(1));
    await process(id, round(1));
    expect(await startStored(id, round(5), round(1), Date.UTC(2026, 0, 1))).toEqual({ applied: true });
    expect(await repository.read(id)).toEqual({
      order_id: id,
      round: round(5),
      status: 'DOWNLOADED',
      previous_status: 'PROCESSED',
      attempts: 0,
      request_id: 'request-1',
      notification_type: 'order.created',
      notified_at: '2026-01-01T00:00:00.000Z',
      download_started_at: '2026-01-01T00:00:00.000Z',
      downloaded_at: '2026-01-02T00:00:00.000Z',
      s3_key: 'raw/stored/old.json',
      checksum: checksum(),
      payload_size: 5_000,
      processed_checksum: checksum(),
      posted_fields: 'abc',
      posted_round: round(1),
    });
    expect(await process(id, round(5))).toEqual({ applied: true });
  });

  it('removes a FAILED order from the index', async () => {
    const id = orderId('stored-after-failure');
    await start(id, round(1));
    await download(id, round(1));
    await repository.recordFailure(id, round(1), failure);
    expect(await startStored(id, round(2), round(1))).toEqual({ applied: true });
    expect(await failedOrders()).not.toContain(id);
    expect(await repository.read(id)).not.toHaveProperty('download_started_at');
  });

  it('is rejected after another round has started, even one that sorts before it', async () => {
    const id = orderId('stored-too-late');
    await start(id, round(1));
    await start(id, round(2));
    expect(await startStored(id, round(9), round(1))).toMatchObject({
      applied: false,
      order: { round: round(2), status: 'NOTIFIED' },
    });
  });

  it('is rejected if the order does not exist', async () => {
    expect(await startStored(orderId('stored-for-nobody'), round(9), round(1))).toMatchObject({ applied: false });
  });
});

test('only FAILED orders are in the index: every transition from FAILED removes them', async () => {
  const failAs = async (name: string, code: FailureRecord['code']) => {
    const id = orderId(name);
    await start(id, round(1));
    await download(id, round(1));
    await repository.recordFailure(id, round(1), { ...failure, code });
    return id;
  };
  const unchanged = await failAs('index-stays', 'API_REFUSED');
  const replayed = await failAs('index-replayed', 'API_REFUSED');
  const downloadedAgain = await failAs('index-downloaded', 'RETRIES_EXHAUSTED');
  const processed = await failAs('index-processed', 'RETRIES_EXHAUSTED');
  expect(await failedOrders()).toEqual(expect.arrayContaining([unchanged, replayed, downloadedAgain, processed]));

  await start(replayed, round(2));
  await download(downloadedAgain, round(1));
  await process(processed, round(1));
  const left = await failedOrders();
  expect(left).toContain(unchanged);
  for (const id of [replayed, downloadedAgain, processed]) {
    expect(left).not.toContain(id);
    expect(await repository.read(id)).not.toHaveProperty('error');
  }
});

test('failed orders are distributed over all shards of the index', async () => {
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

test('each write of a clean order costs one write unit, even with the longest ids', async () => {
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

describe('of concurrent writers, exactly one succeeds', () => {
  const writers = Array.from({ length: 12 }, (_, index) => index);
  const appliedOf = (outcomes: readonly { applied: boolean }[]) => outcomes.filter(({ applied }) => applied).length;

  test('that start the same round', async () => {
    const id = orderId('race-start');
    expect(appliedOf(await Promise.all(writers.map(() => start(id, round(1)))))).toBe(1);
  });

  test('that start different rounds: the newest round remains', async () => {
    const id = orderId('race-rounds');
    await Promise.all(writers.map((index) => start(id, round(1_000 + ((index * 7) % writers.length)))));
    expect(await repository.read(id)).toMatchObject({ round: round(1_000 + writers.length - 1) });
  });

  test("that record a download: the others get the winner's order", async () => {
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

  test('that record success and failure of the same step', async () => {
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

  test('that end a round and start the next: the next one remains', async () => {
    const id = orderId('race-next');
    await start(id, round(1));
    await download(id, round(1));
    await Promise.all([process(id, round(1)), start(id, roundAfter(round(1), 2)), process(id, round(1))]);
    expect(await repository.read(id)).toMatchObject({ status: 'NOTIFIED' });
  });
});

describe('the response to a write is lost, and the SDK repeats the write', () => {
  const retryingClients = createClients();
  afterAll(() => retryingClients.destroy());
  /** Runs after the first attempt took effect. Its response is lost. */
  let afterFirstAttempt: (() => Promise<unknown>) | undefined;
  retryingClients.dynamodb.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'UpdateItemCommand' || afterFirstAttempt === undefined) return next(args);
        const action = afterFirstAttempt;
        afterFirstAttempt = undefined;
        await next(args).catch(() => undefined);
        await action();
        throw Object.assign(new Error('The connection was reset'), { name: 'TimeoutError' });
      },
    { step: 'deserialize' },
  );
  const repositoryWithLostResponse = (action: () => Promise<unknown> = async () => undefined): OrderRepository => {
    afterFirstAttempt = action;
    return createOrderRepository(retryingClients.documents, tableName);
  };
  const downloading = {
    checksum: checksum(),
    receiveCount: 1,
    s3Key: 'raw/key',
    payloadSizeBytes: 5_000,
    downloadedAtMs: Date.UTC(2026, 0, 1, 1),
  };
  const processing = {
    posted: { bodyHash: checksum(), fieldDigests: 'abc' },
    repost: undefined,
    receiveCount: 1,
    warnings: [{ code: 'BAD_DATE' as const, field: 'due_date' }],
    processedAtMs: Date.UTC(2026, 0, 1, 2),
  };

  test('it took effect: the repetition recognizes its own write', async () => {
    const id = orderId('lost-responses');
    expect(await repositoryWithLostResponse().startRound({ orderId: id, round: round(1), ...notified })).toEqual({
      applied: true,
    });
    expect(await repositoryWithLostResponse().recordDownload(id, round(1), downloading)).toEqual({ applied: true });
    const stored = { after: round(1), download: { ...downloading, receiveCount: 0 } };
    const fromStored = { orderId: orderId('lost-responses-stored'), ...notified };
    await start(fromStored.orderId, round(1));
    expect(await repositoryWithLostResponse().startRound({ ...fromStored, round: round(2), ...stored })).toEqual({
      applied: true,
    });
    expect(await repositoryWithLostResponse().recordProcessing(id, round(1), processing)).toEqual({ applied: true });
    await start(id, round(2));
    await download(id, round(2));
    expect(await repositoryWithLostResponse().recordFailure(id, round(2), failure)).toEqual({ applied: true });
    expect(afterFirstAttempt).toBeUndefined();
  });

  test('it took effect, then another round started: the repetition is rejected', async () => {
    const id = orderId('lost-and-overtaken');
    await start(id, round(1));
    await download(id, round(1));
    const written = await repositoryWithLostResponse(() => start(id, round(2))).recordFailure(id, round(1), failure);
    expect(written).toMatchObject({ applied: false, order: { status: 'NOTIFIED', round: round(2) } });
  });

  test('it was rejected: the repetition is rejected', async () => {
    const id = orderId('lost-and-refused');
    await start(id, round(1));
    await download(id, round(1));
    await process(id, round(1));
    const other = { ...downloading, downloadedAtMs: Date.UTC(2026, 0, 1, 9) };
    expect(await repositoryWithLostResponse().recordDownload(id, round(1), other)).toMatchObject({
      applied: false,
      order: { status: 'PROCESSED' },
    });
    expect(afterFirstAttempt).toBeUndefined();
  });
});

test('an item with an unknown format is not read as an order', async () => {
  await clients.documents.send(new PutCommand({ TableName: tableName, Item: { order_id: 'strange', status: 'LOST' } }));
  await expect(repository.read(orderId('strange'))).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: false });
});

import { BatchGetCommand, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createTables, type TablesOptions } from '../../../simulation/models/tables';
import { createWorld } from './world';

const layout = { key: ['id'], indexes: { failed: ['failed_shard', 'at'] } } as const;

const create = (options: Partial<TablesOptions> = {}) => {
  const world = createWorld();
  const tables = createTables(world, { tables: { orders: layout }, ...options });
  const write = (id: string, at: string) =>
    tables.client.send(
      new UpdateCommand({
        TableName: 'orders',
        Key: { id },
        UpdateExpression: 'SET failed_shard = :shard, #at = :at',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':shard': '0', ':at': at },
      }),
    );
  const read = (ConsistentRead: boolean) =>
    tables.client.send(new GetCommand({ TableName: 'orders', Key: { id: 'a' }, ConsistentRead }));
  return { world, tables, write, read };
};

describe('the model of DynamoDB', () => {
  it('returns an overwritten version to an eventually consistent read for a limited time', async () => {
    const { world, write, read } = create({ maxLagMs: 1_000 });
    await write('a', '1');
    await world.sleep(5_000);
    await write('a', '2');
    world.choose(0);
    expect(await read(false)).toMatchObject({ Item: { at: '1' } });
    expect(await read(true)).toMatchObject({ Item: { at: '2' } });
    await world.sleep(1_000);
    expect(await read(false)).toMatchObject({ Item: { at: '2' } });
  });

  it('reads an index with the lag of its items', async () => {
    const { world, tables, write } = create({ maxLagMs: 1_000 });
    const query = () =>
      tables.client.send(
        new QueryCommand({
          TableName: 'orders',
          IndexName: 'failed',
          KeyConditionExpression: 'failed_shard = :shard',
          ExpressionAttributeValues: { ':shard': '0' },
        }),
      );
    await write('a', '1');
    world.choose(0);
    expect(await query()).toMatchObject({ Count: 0 });
    await world.sleep(1_000);
    expect(await query()).toMatchObject({ Items: [{ id: 'a', at: '1', failed_shard: '0' }] });
  });

  it('throttles calls and keys of a batch if the seed says so', async () => {
    const { world, tables, write, read } = create({ throttledShare: 0.5 });
    await write('a', '1');
    world.choose(0);
    await expect(read(true)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    const choices = [0.999, 0];
    world.random = () => choices.shift() ?? 0;
    const Keys = [{ id: 'a' }];
    const response = await tables.client.send(new BatchGetCommand({ RequestItems: { orders: { Keys } } }));
    expect(response).toMatchObject({ Responses: { orders: [] }, UnprocessedKeys: { orders: { Keys } } });
  });

  it('shares no value with its callers', async () => {
    const { tables, read } = create();
    const nested = { at: '1' };
    const update = { TableName: 'orders', Key: { id: 'a' }, UpdateExpression: 'SET nested = :nested' };
    await tables.client.send(new UpdateCommand({ ...update, ExpressionAttributeValues: { ':nested': nested } }));
    nested.at = '2';
    expect(await read(true)).toEqual({ Item: { id: 'a', nested: { at: '1' } } });
  });

  it('refuses what it has no model of', async () => {
    const { tables } = create();
    const update = { TableName: 'orders', Key: { id: 'a' }, UpdateExpression: 'ADD tags :tags' };
    const tagged = new UpdateCommand({ ...update, ExpressionAttributeValues: { ':tags': new Set(['a']) } });
    await expect(tables.client.send(tagged)).rejects.toThrow('no model');
  });
});

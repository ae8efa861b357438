import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { StageConnection } from '../../../../ops/services/stage-connection';
import { readStoredOrders } from '../../../../ops/services/stored-orders';
import { fakeAwsClient } from '../../../support/aws-client';
import { round } from '../../../support/orders';

/** A bucket with `count` orders, 1,000 per page, and a table that has all of them. */
const stageOf = (count: number) => {
  const batches: number[] = [];
  const s3 = fakeAwsClient<S3Client>(({ ContinuationToken }) => {
    const from = Number(ContinuationToken ?? 0);
    const ids = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => `QO-${from + index}`);
    return {
      Contents: ids.map((id) => ({ Key: `raw/${id}/${round()}.json`, LastModified: new Date() })),
      ...(from + 1_000 < count && { NextContinuationToken: String(from + 1_000) }),
    };
  });
  const dynamodb = new DynamoDBClient({ region: 'us-east-1' });
  dynamodb.middlewareStack.add(
    () => async (args) => {
      const { RequestItems = {} } = args.input as { RequestItems?: Record<string, { Keys?: object[] }> };
      const Keys = RequestItems.orders?.Keys ?? [];
      batches.push(Keys.length);
      return { response: {}, output: { $metadata: {}, Responses: { orders: Keys } } as never };
    },
    { step: 'initialize', priority: 'low' },
  );
  const stage = {
    dynamodb,
    ordersTableName: 'orders',
    rawBucketName: 'raw',
    s3: Object.assign(new S3Client({ region: 'us-east-1' }), s3.client),
  };
  return { stage: stage as unknown as StageConnection, batches, pages: s3.inputs };
};

const options = { since: new Date(0), onListed: () => undefined };

test('reads every order once, a hundred at a time', async () => {
  const { stage, batches, pages } = stageOf(2_350);
  const seen = new Set<string>();
  for await (const { orderId } of readStoredOrders(stage, options)) seen.add(orderId);
  expect(seen.size).toBe(2_350);
  expect(batches).toEqual([...Array.from({ length: 23 }, () => 100), 50]);
  expect(pages).toHaveLength(3);
});

test('stops reading when its consumer stops', async () => {
  const { stage, batches, pages } = stageOf(1_000_000);
  let count = 0;
  for await (const _ of readStoredOrders(stage, options)) if (++count === 150) break;
  expect({ batches, pages: pages.length }).toEqual({ batches: [100, 100], pages: 1 });
});

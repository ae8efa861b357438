import { S3Client } from '@aws-sdk/client-s3';
import { createPayloadService } from '../../../../ops/services/payloads';
import type { OrderId, Round } from '../../../../shared/orders/order';
import { fakeAwsClient } from '../../../support/aws-client';
import { round } from '../../../support/orders';

const since = new Date('2026-01-10T00:00:00Z');

/** A bucket that lists these keys in byte order, as S3 does, two per page. */
const bucketOf = (objects: Readonly<Record<string, string>>) => {
  const { client, inputs } = fakeAwsClient<S3Client>(({ Prefix, ContinuationToken }) => {
    const all = Object.keys(objects)
      .filter((key) => key.startsWith(String(Prefix)))
      .sort();
    const from = Number(ContinuationToken ?? 0);
    return {
      Contents: all
        .slice(from, from + 2)
        .map((Key) => ({ Key, LastModified: new Date(`2026-01-${objects[Key]}T00:00:00Z`) })),
      ...(from + 2 < all.length && { NextContinuationToken: String(from + 2) }),
    };
  });
  // The paginator accepts no other client.
  const s3 = Object.assign(new S3Client({ region: 'us-east-1' }), client);
  return { payloads: createPayloadService({ s3, rawBucketName: 'raw' }), inputs };
};

const key = (id: string, ms: number): string => `raw/${id}/${round(ms)}.json`;

test('lists each order with a payload stored since the given time once, page by page', async () => {
  const { payloads, inputs } = bucketOf({
    [key('QO-1', 1)]: '01',
    [key('QO-1', 2)]: '11',
    [key('QO-1', 3)]: '12',
    [key('QO-1-x', 1)]: '10',
    [key('QO-2', 1)]: '09',
    [key('QO-3', 1)]: '20',
    [key('QO-3', 2)]: '02',
    'raw/QO-4/notes.txt': '20',
    'raw/stray.json': '20',
    [`rejected/QO-5/${round()}.txt`]: '20',
  });
  const found: OrderId[] = [];
  const listed: number[] = [];
  for await (const orderId of payloads.listStoredSince(since, (objects) => listed.push(objects))) found.push(orderId);
  expect(found).toEqual(['QO-1-x', 'QO-1', 'QO-3']);
  expect(listed).toEqual([2, 4, 6, 8, 9]);
  expect(inputs).toHaveLength(5);
});

test('lists only the rounds of one order, newest first', async () => {
  const { payloads } = bucketOf({
    [key('QO-1', 1)]: '01',
    [key('QO-1', 3)]: '01',
    [key('QO-1', 2)]: '01',
    [key('QO-10', 9)]: '01',
    'raw/QO-1/notes.txt': '01',
  });
  expect(await payloads.listRounds('QO-1' as OrderId)).toEqual([3, 2, 1].map((ms) => round(ms)));
  expect(await payloads.keyOf('QO-1' as OrderId, round(2))).toBe(key('QO-1', 2));
});

test.each([
  ['QO-1', /^Order QO-1 has no stored payload for round \S+; the newest are (\S+, ){4}\S+\.$/],
  ['QO-2', /^Order QO-2 has no stored payload for round \S+; it has none\.$/],
])('the error for a round of %s without a payload names the stored rounds', async (id, expected) => {
  const { payloads } = bucketOf(Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((ms) => [key('QO-1', ms), '01'])));
  await expect(payloads.keyOf(id as OrderId, round(99) as Round)).rejects.toThrow(expected);
});

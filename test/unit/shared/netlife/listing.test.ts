import { readRows } from '../../../../shared/netlife/listing';
import { accessKeySchema } from '../../../../shared/netlife/schemas';
import type { RejectedRow } from '../../../../shared/netlife/tally';
import { collect, stream } from '../iterable/sample';

const read = (rows: readonly unknown[], onRejected: (rejected: readonly RejectedRow[]) => void) =>
  collect(readRows(stream(rows), { portal: 'p', schema: accessKeySchema, list: 'access_keys' }, onRejected));

test('rows that cannot be read are reported by their position, at the end', async () => {
  const reported: RejectedRow[] = [];
  expect(await read(['K1', null, 'K2', {}], (rejected) => reported.push(...rejected))).toEqual(['K1', 'K2']);
  expect(reported.map(({ position }) => position)).toEqual([2, 4]);
});

test('a list with over 5,000 unreadable rows fails', async () => {
  const reported: number[] = [];
  const onRejected = (rejected: readonly RejectedRow[]) => reported.push(rejected.length);
  await read(Array(5_000).fill(null), onRejected);
  await expect(read(Array(5_001).fill(null), onRejected)).rejects.toMatchObject({
    code: 'BAD_ANSWER',
    retryable: false,
    message: 'More than 5000 rows of a list cannot be read',
  });
  expect(reported).toEqual([5_000, 0]);
});

import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { createRecordFailures } from '../../../../shared/issues/record-failures';
import { operationKey } from '../../../../shared/operations/key';
import { orderId } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createOperationsTable } from '../../support/resources';

const clients = createClients();
afterAll(() => clients.destroy());
let tableName: string;
beforeAll(async () => {
  tableName = await createOperationsTable(clients);
});

const record = (...args: Parameters<ReturnType<typeof createRecordFailures>>) =>
  createRecordFailures(clients.documents, tableName)(...args);
const read = async (issueId: string) =>
  (await clients.documents.send(new GetCommand({ TableName: tableName, Key: operationKey('ISSUE', issueId) }))).Item;

const hour = (hours: number) => Date.UTC(2026, 0, 1, hours);
const group = (issueId: string, count: number, sample: string, firstFailedAtMs: number) => ({
  issueId,
  cause: { worker: 'processing', code: 'API_REFUSED', statusCode: 422, detail: 'dueDate' } as const,
  count,
  sample: orderId(sample),
  firstFailedAtMs,
});

test('the first write creates the issue, and the next ones count and move its last time', async () => {
  await record(group('a', 2, 'QO-1', hour(1)), { writeId: 'w1', release: '1.0.0', atMs: hour(2) });
  await record(group('a', 20, 'QO-2', hour(3)), { writeId: 'w2', release: '1.1.0', atMs: hour(4) });
  expect(await read('a')).toEqual({
    kind: 'ISSUE',
    id: 'a',
    worker: 'processing',
    code: 'API_REFUSED',
    status_code: 422,
    detail: 'dueDate',
    count: 22,
    sample: 'QO-2',
    first_seen: '2026-01-01T01:00:00.000Z',
    last_seen: '2026-01-01T04:00:00.000Z',
    release: '1.0.0',
    last_release: '1.1.0',
    last_write: 'w2',
  });
});

test('a repeated attempt of the same write counts once', async () => {
  const write = { writeId: 'w1', release: '1.0.0', atMs: hour(2) };
  await record(group('b', 2, 'QO-1', hour(1)), write);
  await record(group('b', 2, 'QO-1', hour(1)), write);
  expect(await read('b')).toMatchObject({ count: 2 });
});

test('concurrent writes of several workers all count', async () => {
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      record(group('c', 3, `QO-${index}`, hour(1)), { writeId: `w${index}`, release: '1.0.0', atMs: hour(2) }),
    ),
  );
  expect(await read('c')).toMatchObject({ count: 30 });
});

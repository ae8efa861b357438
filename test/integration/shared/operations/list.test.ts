import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { operationKey } from '../../../../shared/operations/key';
import { listOperations } from '../../../../shared/operations/list';
import { createClients } from '../../support/clients';
import { createOperationsTable } from '../../support/resources';

const clients = createClients();
const nowMs = Date.UTC(2026, 0, 31, 12);
afterAll(() => clients.destroy());

it('lists the items of one kind by id, without those that have expired', async () => {
  const tableName = await createOperationsTable(clients);
  const put = (item: object) => clients.documents.send(new PutCommand({ TableName: tableName, Item: item }));
  const second = { ...operationKey('PAUSE', 'sync'), expires_at: nowMs / 1_000 + 1 };
  const first = { ...operationKey('PAUSE', 'download'), reason: 'maintenance' };
  await put(second);
  await put(first);
  await put({ ...operationKey('PAUSE', 'processing'), expires_at: nowMs / 1_000 });
  await put(operationKey('ISSUE', 'download'));

  const listed: unknown[] = [];
  for await (const item of listOperations(clients.documents, tableName, 'PAUSE', nowMs)) listed.push(item);
  expect(listed).toEqual([first, second]);
});

import { verifyModels } from '../../simulation/verification/verify';
import { createClients } from '../support/clients';
import { createBucket, createOperationsTable, createOrdersTable, createQueuePair } from '../support/resources';

const programsPerService = 20;

describe("the simulation's models of AWS and the embedded AWS", () => {
  const clients = createClients();
  const tables = Promise.all([createOrdersTable(clients), createOperationsTable(clients)]);
  const bucket = createBucket(clients);
  let programs = 0;
  const nextPrefix = (): string => `program-${++programs}/`;

  const verify = verifyModels(
    {
      tables: async () => {
        const [ordersTable, operationsTable] = await tables;
        return { client: clients.documents, ordersTable, operationsTable, prefix: nextPrefix() };
      },
      queues: async () => ({
        ...(await createQueuePair(clients, 'programs', 2)),
        client: clients.sqs,
        checksLimits: true,
      }),
      bucket: async () => ({ client: clients.s3, bucket: await bucket, prefix: nextPrefix(), checksLimits: true }),
    },
    programsPerService,
  );

  afterAll(() => clients.destroy());

  it('agree on every call of DynamoDB', () => verify.tables());
  it('agree on every call of SQS', () => verify.queues());
  it('agree on every call of S3', () => verify.buckets());
});

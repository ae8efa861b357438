import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startQueuesAndBuckets } from '../../../emulator/queues-and-buckets';
import { startSecrets } from '../../../emulator/secrets';
import { startTables } from '../../../emulator/tables';
import { secrets } from './secrets';

// The embedded AWS, in a process of its own: fauxqs is ESM only, which jest cannot load. It says where it listens, and
// lives as long as the process that started it.

const start = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'integration-'));
  const secretsFile = join(directory, 'secrets.json');
  writeFileSync(secretsFile, JSON.stringify(secrets));
  const known = Object.keys(secrets).map((name) => ({ name, constructId: name }));

  const tables = await startTables(join(directory, 'tables'));
  const queuesAndBuckets = await startQueuesAndBuckets(join(directory, 'queues-and-buckets'));
  const secretsManager = await startSecrets(() => known, secretsFile);

  process.once('disconnect', async () => {
    await Promise.all([tables.stop(), queuesAndBuckets.stop(), secretsManager.stop()]);
    rmSync(directory, { recursive: true, force: true });
    process.exit();
  });
  const queuesAndBucketsUrl = `http://127.0.0.1:${queuesAndBuckets.port}`;
  process.send?.({
    dynamodb: tables.url,
    sqs: queuesAndBucketsUrl,
    s3: queuesAndBucketsUrl,
    secretsManager: secretsManager.url,
  });
};

start().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

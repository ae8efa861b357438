import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApplication } from '../../../emulator/application';
import type { Assembly, Resource } from '../../../emulator/assembly';
import { startQueuesAndBuckets } from '../../../emulator/queues-and-buckets';
import { startSecrets } from '../../../emulator/secrets';
import { startTables } from '../../../emulator/tables/tables';
import { noEndpoints } from '../../support/roles';
import { topicName } from './clients';
import { secrets } from './secrets';

// The embedded AWS, in its own process, because jest cannot load fauxqs, which is ESM only. Sends its endpoints to the
// parent process, and stops when the parent disconnects.

const topic: Resource = {
  stackName: 'dev-Test',
  logicalId: 'Topic',
  type: 'AWS::SNS::Topic',
  constructId: 'topic',
  properties: { TopicName: topicName },
};
/** The embedded SNS has the topics of an application only. */
const withTopic: Assembly = {
  directory: '',
  stacks: new Map([
    ['dev-Test', { name: 'dev-Test', parameters: {}, outputs: {}, resources: new Map([['Topic', topic]]) }],
  ]),
};

const start = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'integration-'));
  const secretsFile = join(directory, 'secrets.json');
  writeFileSync(secretsFile, JSON.stringify(secrets));
  const named = Object.keys(secrets).map((name) => ({ name, constructId: name }));

  const tables = await startTables(join(directory, 'tables'));
  const queuesAndBuckets = await startQueuesAndBuckets(join(directory, 'queues-and-buckets'));
  queuesAndBuckets.create(createApplication(withTopic, noEndpoints));
  const secretsManager = await startSecrets(() => named, secretsFile);

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

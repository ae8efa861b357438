import { fork } from 'node:child_process';
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Secrets } from '../../local/start/secrets-file';
import type { startedSchema } from './aws-process';

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.looseObject({}).default({}) })),
});

/** Copies an assembly to `directory`, without what invokes the two order workers: their event source mappings are off. */
export const withoutWorkers = (assemblyDirectory: string, directory: string): string => {
  cpSync(assemblyDirectory, directory, { recursive: true });
  for (const name of globSync('*.template.json', { cwd: directory })) {
    const file = path.join(directory, name);
    const template = templateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type === 'AWS::Lambda::EventSourceMapping') Properties.Enabled = false;
    }
    writeFileSync(file, JSON.stringify(template));
  }
  return directory;
};

/** What the plain worker works with. */
interface PlainWorkerOptions extends Pick<z.output<typeof startedSchema>, 'endpoints' | 'outputs'> {
  readonly secrets: Secrets;
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
}

const outputsSchema = z.object({
  DownloadQueueUrl: z.string(),
  ProcessingQueueUrl: z.string(),
  OrdersTableName: z.string(),
  RawBucketName: z.string(),
});

/** Starts the plain worker in its own process. @returns a function that ends it */
export const startPlainWorker = (options: PlainWorkerOptions): (() => void) => {
  const { endpoints, outputs, secrets, qualiaUrl, internalApiUrl } = options;
  const names = outputsSchema.parse(Object.assign({}, ...Object.values(outputs)));
  const { username, password } = secrets.QualiaSecret;
  const child = fork(path.join(__dirname, 'plain-worker.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_S3: endpoints.s3,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      DOWNLOAD_QUEUE_URL: names.DownloadQueueUrl,
      PROCESSING_QUEUE_URL: names.ProcessingQueueUrl,
      ORDERS_TABLE: names.OrdersTableName,
      RAW_BUCKET: names.RawBucketName,
      QUALIA_API_URL: qualiaUrl,
      QUALIA_AUTHORIZATION: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      INTERNAL_API_URL: internalApiUrl,
      INTERNAL_API_AUTHORIZATION: `Bearer ${secrets.InternalApiSecret.token}`,
    },
  });
  return () => {
    // A worker that failed is no longer connected. The run then fails because orders are missing.
    if (child.connected) child.disconnect();
  };
};

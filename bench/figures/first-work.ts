import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleOf, readBundles, synthesized } from '../bundle';
import { startTlsFakeAws } from '../fake-aws';
import type { FigureSet } from '../figure';
import { measureInFreshProcess, measureInTurn } from '../fresh-process';
import { withPlainBundle } from '../plain-bundle';
import { median, round } from '../statistics';
import { benchSecret, invocationContext, webhookEvents } from '../webhook-event';

const rounds = 15;

const firstCallOf = (file: string, event: unknown): string => `
  const event = ${JSON.stringify(event)};
  const context = { ...${JSON.stringify(invocationContext)}, getRemainingTimeInMillis: () => 10_000 };
  const startedAtMs = performance.now();
  require(${JSON.stringify(file)}).handler(event, context).then(({ statusCode, body }) => {
    const tookMs = performance.now() - startedAtMs;
    if (statusCode !== 200) throw new Error(body);
    process.stderr.write(String(tookMs));
    process.exit();
  });
`;

/** The same three calls with the plain clients of the SDK. */
const plainHandler = `
  import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
  import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
  import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
  const [secrets, dynamoDb, sqs] = [new SecretsManagerClient({}), new DynamoDBClient({}), new SQSClient({})];
  export const handler = async ({ body }) => {
    await secrets.send(new GetSecretValueCommand({ SecretId: 'webhook' }));
    await dynamoDb.send(new UpdateItemCommand({ TableName: 'orders', Key: { order_id: { S: 'QO-1' } } }));
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.DOWNLOAD_QUEUE_URL, MessageBody: body }));
    return { statusCode: 200 };
  };
`;

const floorHandler = "export { handler } from './signed-calls';";

/**
 * Time from the start of the import to the response to the first webhook, over TLS: import, secret, conditional write, send.
 */
export const firstWork: FigureSet<'webhook_first_work_ms' | 'webhook_first_work_ratio'> = {
  title: 'First webhook of a cold process',
  bars: {
    webhook_first_work_ms: { unit: 'ms', bar: 150, better: 'lower' },
    webhook_first_work_ratio: { unit: '× hand-signed calls', bar: 1.8, better: 'lower' },
  },
  measure: (note) =>
    withPlainBundle(plainHandler, (plainFile) =>
      withPlainBundle(floorHandler, async (floorFile) => {
        const webhook = bundleOf(readBundles(synthesized()), 'webhook');
        const aws = await startTlsFakeAws(benchSecret);
        const folder = mkdtempSync(path.join(tmpdir(), 'bench-certificate-'));
        try {
          const certificateFile = path.join(folder, 'ca.pem');
          writeFileSync(certificateFile, aws.certificate);
          const environment = {
            ...webhook.environment,
            DOWNLOAD_QUEUE_URL: `${aws.url}/000000000000/download`,
            AWS_ENDPOINT_URL: aws.url,
            NODE_EXTRA_CA_CERTS: certificateFile,
          };
          const [event] = webhookEvents(1);
          const start = (file: string) => () => measureInFreshProcess(firstCallOf(file, event), environment);
          const { ours, plain, floor } = await measureInTurn(rounds, {
            ours: start(webhook.file),
            plain: start(plainFile),
            floor: start(floorFile),
          });
          const describe = (name: string, times: readonly number[]) =>
            note(`${name}: ${round(median(times), 1)} ms, best ${round(Math.min(...times), 1)} ms`);
          describe('webhook', ours);
          describe('the same calls, plain clients of the SDK', plain);
          describe('the same calls, signed by hand', floor);
          return {
            webhook_first_work_ms: round(median(ours), 1),
            webhook_first_work_ratio: round(median(ours) / median(floor), 2),
          };
        } finally {
          rmSync(folder, { recursive: true });
          await aws.stop();
        }
      }),
    ),
};

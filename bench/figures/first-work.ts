import { bundleOf, readBundles, synthesized } from '../bundle';
import { startFakeAws } from '../fake-aws';
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

/** The minimum work of a webhook, with the plain clients: no authentication, and therefore no secret. */
const plainHandler = `
  import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
  import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
  const dynamoDb = new DynamoDBClient({});
  const sqs = new SQSClient({});
  export const handler = async ({ body }) => {
    await dynamoDb.send(new UpdateItemCommand({ TableName: 'orders', Key: { order_id: { S: 'QO-1' } } }));
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.DOWNLOAD_QUEUE_URL, MessageBody: body }));
    return { statusCode: 200 };
  };
`;

/** From nothing loaded to the first webhook answered: import, secret, conditional put, send. */
export const firstWork: FigureSet<'webhook_first_work_ms'> = {
  title: 'Cold to first work done',
  // The plain clients' put and send took 118 ms when the bar was set. The rest is for the secret: a third client and call.
  bars: { webhook_first_work_ms: { unit: 'ms', bar: 150, better: 'lower' } },
  measure: (note) =>
    withPlainBundle(plainHandler, async (plainFile) => {
      const webhook = bundleOf(readBundles(synthesized()), 'webhook');
      const aws = await startFakeAws(benchSecret);
      try {
        const environment = {
          ...webhook.environment,
          DOWNLOAD_QUEUE_URL: `${aws.url}/000000000000/download`,
          AWS_ENDPOINT_URL: aws.url,
        };
        const [event] = webhookEvents(1);
        const { ours, plain } = await measureInTurn(rounds, {
          ours: () => measureInFreshProcess(firstCallOf(webhook.file, event), environment),
          plain: () => measureInFreshProcess(firstCallOf(plainFile, event), environment),
        });
        note(`webhook, with its secret: ${round(median(ours), 1)} ms, best ${round(Math.min(...ours), 1)} ms`);
        note(
          `plain clients, only put and send: ${round(median(plain), 1)} ms, best ${round(Math.min(...plain), 1)} ms`,
        );
        return { webhook_first_work_ms: round(median(ours), 1) };
      } finally {
        await aws.stop();
      }
    }),
};

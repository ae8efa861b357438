import { bundleOf, readBundles, synthesized } from '../bundle';
import { startFakeAws } from '../fake-aws';
import type { FigureSet } from '../figure';
import { measureInFreshProcess, measureInTurn } from '../fresh-process';
import { median, percentile, round } from '../statistics';
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

/** From nothing loaded to the first webhook answered: import, secret, conditional put, send. */
export const firstWork: FigureSet<'webhook_first_work_ms'> = {
  title: 'Cold to first work done',
  // What a plain bundle of the two clients took for import, put and send, without a secret to fetch (118 ms).
  bars: { webhook_first_work_ms: { unit: 'ms', bar: 118, better: 'lower' } },
  measure: async (note) => {
    const webhook = bundleOf(readBundles(synthesized()), 'webhook');
    const aws = await startFakeAws(benchSecret);
    try {
      const environment = {
        ...webhook.environment,
        DOWNLOAD_QUEUE_URL: `${aws.url}/000000000000/download`,
        AWS_ENDPOINT_URL: aws.url,
      };
      const [event] = webhookEvents(1);
      const { webhook: firstMs } = await measureInTurn(rounds, {
        webhook: () => measureInFreshProcess(firstCallOf(webhook.file, event), environment),
      });
      note(`import, secret, put and send: best ${round(percentile(firstMs, 0.01), 1)} ms`);
      return { webhook_first_work_ms: round(median(firstMs), 1) };
    } finally {
      await aws.stop();
    }
  },
};

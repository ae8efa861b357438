import { bundleOf, readBundles, synthesized } from '../bundle';
import type { FigureSet } from '../figure';
import { measureInFreshProcess, measureInTurn } from '../fresh-process';
import { withPlainBundle } from '../plain-bundle';
import { median, round } from '../statistics';

const rounds = 15;
const workers = ['download', 'processing', 'reconciler'] as const;

/** The baseline of a cold start: the two clients that the webhook needs, bundled with esbuild's defaults. */
const plainClients = `
  import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
  import { SQSClient } from '@aws-sdk/client-sqs';
  export const clients = [new DynamoDBClient({}), new SQSClient({})];
  export const handler = async () => {};
`;

const initOf = (file: string): string => `
  const startedAtMs = performance.now();
  require(${JSON.stringify(file)});
  process.stderr.write(String(performance.now() - startedAtMs));
`;

/** Size of the bundles, and time of their module initialisation in a fresh process, minus that of an empty handler. */
export const bundles: FigureSet<'webhook_bundle_kb' | 'webhook_init_ratio' | 'worker_bundle_kb' | 'worker_init_ratio'> =
  {
    title: 'Bundles and cold start',
    bars: {
      webhook_bundle_kb: { unit: 'kB', bar: 110, better: 'lower' },
      webhook_init_ratio: { unit: '× plain clients', bar: 1, better: 'lower' },
      worker_bundle_kb: { unit: 'kB', bar: 550, better: 'lower' },
      worker_init_ratio: { unit: '× plain clients', bar: 1.2, better: 'lower' },
    },
    measure: (note) =>
      withPlainBundle('exports.handler = async () => {};', (emptyFile) =>
        withPlainBundle(plainClients, async (plainFile) => {
          const all = readBundles(synthesized());
          const ours = ['webhook', ...workers].map((name) => ({ name, ...bundleOf(all, name) }));

          const initMs = await measureInTurn<string>(rounds, {
            empty: () => measureInFreshProcess(initOf(emptyFile)),
            plain: () => measureInFreshProcess(initOf(plainFile)),
            ...Object.fromEntries(
              ours.map(({ name, file, environment }) => [name, () => measureInFreshProcess(initOf(file), environment)]),
            ),
          });
          const medianMs = (name: string) => median(initMs[name] ?? []) - median(initMs.empty ?? []);
          const ratioOf = (name: string) => medianMs(name) / medianMs('plain');
          const kbOf = (name: string) => bundleOf(all, name).sizeBytes / 1000;

          note(`plain clients: ${round(medianMs('plain'), 1)} ms`);
          for (const { name } of ours) {
            const size = `${round(kbOf(name), 1)} kB`;
            note(`${name}: ${size}, ${round(medianMs(name), 1)} ms, ${round(ratioOf(name), 2)} ×`);
          }
          return {
            webhook_bundle_kb: round(kbOf('webhook'), 1),
            webhook_init_ratio: round(ratioOf('webhook'), 3),
            worker_bundle_kb: round(Math.max(...workers.map(kbOf)), 1),
            worker_init_ratio: round(Math.max(...workers.map(ratioOf)), 3),
          };
        }),
      ),
  };

/** Runs a simulator in its own process, so that it does not share a CPU core with its caller. Ends with its parent. */
import * as z from 'zod';
import { startIterableSimulator } from '../../local/simulators/iterable';
import { startNetlifeSimulator } from '../../local/simulators/netlife';
import { takeCpuPriority } from './cpu-priority';

const number = z.number();
const optionsSchema = z.discriminatedUnion('api', [
  z.object({
    api: z.literal('netlife'),
    credentials: z.object({ username: z.string(), password: z.string() }),
    portals: z.array(z.object({ name: z.string(), jobs: number, activitiesPerJob: number, subjectsPerJob: number })),
    latencyMs: number,
    rateLimitPerSecond: number,
    pages: z.object({ shape: z.enum(['meta', 'results', 'data', 'list']), size: number }),
  }),
  z.object({
    api: z.literal('iterable'),
    credentials: z.object({ api_key: z.string() }),
    latencyMs: number,
    keep: z.enum(['everything', 'counts']),
    limits: z
      .object({
        'users/update': number,
        'users/bulkUpdate': number,
        'events/track': number,
        'events/trackBulk': number,
      })
      .optional(),
  }),
]);
export type SimulatorOptions = z.input<typeof optionsSchema>;

const start = async (text: string) => {
  const options = optionsSchema.parse(JSON.parse(text));
  if (options.api === 'netlife') {
    const { baseUrl, controlUrl, stop } = await startNetlifeSimulator(options);
    return { url: baseUrl, controlUrl, stop };
  }
  const { limits, ...rest } = options;
  return startIterableSimulator({ ...rest, ...(limits && { limits }) });
};

const main = async () => {
  takeCpuPriority();
  const { url, controlUrl, stop } = await start(process.argv[2] ?? '');
  process.once('disconnect', () => void stop().finally(() => process.exit()));
  process.send?.({ url, controlUrl });
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});

/** Runs the embedded AWS in its own process, to measure its memory and calls separately. */
import * as z from 'zod';
import { startEmbeddedAws } from '../../emulator/embedded-aws';
import { createMeter, type Meter, type MeterReport } from './meter';

const commandSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    assemblyDirectory: z.string(),
    stateDirectory: z.string(),
    secretsFile: z.string(),
    environmentOverrides: z.record(z.string(), z.string()),
    maxConcurrency: z.number(),
    batches: z.object({ batchSize: z.number(), batchingWindowSeconds: z.number() }).optional(),
    metered: z.boolean().default(true),
  }),
  z.object({ kind: z.literal('report') }),
  z.object({ kind: z.literal('stop') }),
]);
export type EmbeddedAwsCommand = z.input<typeof commandSchema>;

/** The report without metering. */
const emptyReport: MeterReport = { calls: {}, invocations: {}, logs: { bytes: 0, lines: 0 } };

const main = () => {
  let meter: Meter | undefined;
  let stop = async () => {};
  const execute = async (message: unknown): Promise<unknown> => {
    const command = commandSchema.parse(message);
    if (command.kind === 'report') return meter?.report() ?? emptyReport;
    if (command.kind === 'stop') return stop();
    meter = command.metered ? createMeter() : undefined;
    const { apiUrl, endpoints, outputs, ...aws } = await startEmbeddedAws({
      ...command,
      ...(command.batches && { forTests: command.batches }),
      ...(meter && { onLog: meter.onLog }),
    });
    stop = aws.stop;
    return { apiUrl, endpoints, outputs };
  };
  const fail = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  };
  process.on('message', (message) => {
    execute(message).then((response) => process.send?.(response ?? {}), fail);
  });
  // The parent has ended.
  process.once('disconnect', () => void stop().finally(() => process.exit()));
};

main();

/** Runs the embedded AWS in its own process, to measure its memory and calls separately. */
import * as z from 'zod';
import { startEmbeddedAws } from '../../emulator/embedded-aws';
import { createMeter, type Meter, type MeterReport } from './meter';

const orderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    assemblyDirectory: z.string(),
    stateDirectory: z.string(),
    secretsFile: z.string(),
    environmentOverrides: z.record(z.string(), z.string()),
    maxConcurrency: z.number(),
    metered: z.boolean().default(true),
  }),
  z.object({ kind: z.literal('report') }),
  z.object({ kind: z.literal('stop') }),
]);
export type EmbeddedAwsOrder = z.input<typeof orderSchema>;

/** The report without metering. */
const emptyReport: MeterReport = { calls: {}, invocations: {}, logs: { bytes: 0, lines: 0 } };

const main = () => {
  let meter: Meter | undefined;
  let stop = async () => {};
  const execute = async (message: unknown): Promise<unknown> => {
    const order = orderSchema.parse(message);
    if (order.kind === 'report') return meter?.report() ?? emptyReport;
    if (order.kind === 'stop') return stop();
    meter = order.metered ? createMeter() : undefined;
    const { apiUrl, endpoints, outputs, ...aws } = await startEmbeddedAws({
      ...order,
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
    execute(message).then((answer) => process.send?.(answer ?? {}), fail);
  });
  // The parent has ended.
  process.once('disconnect', () => void stop().finally(() => process.exit()));
};

main();

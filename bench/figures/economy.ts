import * as z from 'zod';
import { readAssembly } from '../../emulator/assembly';
import { productionBatches } from '../batches';
import { synthesized } from '../bundle';
import { billOf, totalOf } from '../cost';
import type { FigureSet } from '../figure';
import { type PipelineRun, runPipeline } from '../pipeline/run';
import { prices } from '../prices';
import { round, sum } from '../statistics';

const orders = 500;

/**
 * Enough that V8 has compiled most of what the Lambdas run, as in a process that lives for hours. After 50 orders, a batch
 * took twice the CPU time.
 */
const warmUpOrders = 1_000;

/**
 * The simulators respond as slowly as APIs across the internet, because a Lambda is billed while it waits. Each Lambda
 * has one process, so that it does not also wait for this machine's cores.
 */
const conditions = {
  qualiaLatencyMs: 200,
  internalApiLatencyMs: 100,
  maxConcurrency: 1,
  batches: productionBatches,
};

/** Calls that do not belong to an order: a process fetches its secret every five minutes. */
const callsWithoutOrder = ['secretsmanager GetSecretValue'];

/** SQS returns and deletes at most this many messages per request, also for a larger batch. */
const maxReceivedMessages = 10;

const functionSchema = z.object({ FunctionName: z.string(), MemorySize: z.number() });
const stageSchema = z.object({ AccessLogSettings: z.object({ Format: z.string() }) });

/** Values with the same length as on AWS. */
const accessLogSamples: Readonly<Record<string, string>> = {
  requestId: 'JKJaXmPLvHcESHA=',
  'identity.sourceIp': '203.0.113.77',
  routeKey: 'POST /webhooks/qualia',
  status: '200',
  responseLatency: '25',
  'error.message': '-',
  integrationErrorMessage: '-',
};

/** The billed properties in the templates: the functions' memory, and the API's access log. */
const readTemplates = () => {
  const { stacks } = readAssembly(synthesized());
  const read = <S extends z.ZodType>(resourceType: string, schema: S): z.output<S>[] =>
    [...stacks.values()]
      .flatMap(({ resources }) => [...resources.values()])
      .flatMap(({ type, properties }) => {
        const parsed = type === resourceType ? schema.safeParse(properties) : undefined;
        return parsed?.success ? [parsed.data] : [];
      });
  const [stage] = read('AWS::ApiGatewayV2::Stage', stageSchema);
  const format = stage?.AccessLogSettings.Format ?? '';
  const line = format.replaceAll(/\$context\.([a-zA-Z.]+)/g, (_all, name: string) => accessLogSamples[name] ?? '-');
  return {
    memoryMb: new Map(
      read('AWS::Lambda::Function', functionSchema).map(({ FunctionName, MemorySize }) => [FunctionName, MemorySize]),
    ),
    accessLogBytes: Buffer.byteLength(line),
  };
};

/** The usage of one order of the run. */
const usageOf = ({ calls, invocations, logs }: PipelineRun) => {
  const { memoryMb, accessLogBytes } = readTemplates();
  const perOrder = (count: number | undefined): number => (count ?? 0) / orders;
  const workers = Object.entries(invocations).filter(([name]) => !name.endsWith('-webhook'));
  const batches = sum(workers.map(([, { count }]) => count));
  const gbSeconds = Object.entries(invocations).map(
    ([name, { billedMs }]) => (billedMs / 1000) * ((memoryMb.get(name) ?? 0) / 1024),
  );
  return {
    dynamoDbWrites: perOrder(calls['dynamodb UpdateItem']),
    dynamoDbReads: perOrder(calls['dynamodb GetItem']),
    s3Puts: perOrder(calls['s3 PUT']),
    s3Gets: perOrder(calls['s3 GET']),
    sqsSends: perOrder((calls['sqs SendMessage'] ?? 0) + (calls['sqs SendMessageBatch'] ?? 0)),
    // Each order has two messages: one for the download, one for the processing.
    sqsReceived: 2,
    sqsBatchSize: Math.min(maxReceivedMessages, (2 * orders) / batches),
    lambdaInvocations: perOrder(sum(Object.values(invocations).map(({ count }) => count))),
    lambdaGbSeconds: perOrder(sum(gbSeconds)),
    logBytes: perOrder(logs.bytes),
    accessLogBytes,
  };
};

/** AWS usage of a clean order: calls, log lines and cost. */
export const economy: FigureSet<
  'log_bytes_per_order' | 'log_lines_per_order' | 'aws_calls_per_order' | 'cost_usd_per_million'
> = {
  title: 'AWS usage of a clean order',
  bars: {
    log_bytes_per_order: { unit: 'B', bar: 3000, better: 'lower' },
    log_lines_per_order: { unit: 'lines', bar: 6, better: 'lower' },
    aws_calls_per_order: { unit: 'calls', bar: 8, better: 'lower' },
    cost_usd_per_million: { unit: 'USD', bar: 10.4, better: 'lower' },
  },
  measure: async (note) => {
    const run = await runPipeline({ orders, warmUpOrders, metered: true, ...conditions });
    const { calls, invocations, logs } = run;
    for (const [call, count] of Object.entries(calls)) note(`${call}: ${count / orders} per order`);
    for (const [name, { count, billedMs }] of Object.entries(invocations)) {
      const wide = `${round(orders / count, 1)} orders and ${round(billedMs / count, 0)} billed ms each`;
      note(`${name}: ${count} invocations of ${wide}`);
    }
    const bill = billOf(usageOf(run), prices);
    note('USD per million orders, without storage, traces, and monthly charges:');
    for (const { item, usdPerMillion } of bill) note(`${item.padEnd(22)}${usdPerMillion.toFixed(2).padStart(6)}`);
    const forOrders = Object.entries(calls).filter(([call]) => !callsWithoutOrder.includes(call));
    return {
      log_bytes_per_order: round(logs.bytes / orders, 0),
      log_lines_per_order: round(logs.lines / orders, 2),
      aws_calls_per_order: round(sum(forOrders.map(([, count]) => count)) / orders, 3),
      cost_usd_per_million: round(totalOf(bill), 2),
    };
  },
};

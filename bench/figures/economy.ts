import * as z from 'zod';
import { readAssembly } from '../../local/aws/assembly';
import { synthesized } from '../bundle';
import { billOf, totalOf } from '../cost';
import type { FigureSet } from '../figure';
import { type PipelineRun, runPipeline } from '../pipeline/run';
import { prices } from '../prices';
import { round, sum } from '../statistics';

const orders = 1_000;

/** Answers take as long as they do from APIs across the internet: a Lambda is paid for while it waits. */
const latencies = { qualiaLatencyMs: 200, internalApiLatencyMs: 100 };

/** Calls that are not made for an order: a process fetches its secret once in five minutes. */
const notForAnOrder = ['secretsmanager GetSecretValue'];

const functionSchema = z.object({ FunctionName: z.string(), MemorySize: z.number() });

/** Memory of each function, by its name. */
const readMemoryMb = (): ReadonlyMap<string, number> => {
  const { stacks } = readAssembly(synthesized());
  const functions = [...stacks.values()]
    .flatMap(({ resources }) => [...resources.values()])
    .flatMap(({ type, properties }) =>
      type === 'AWS::Lambda::Function' ? (functionSchema.safeParse(properties).data ?? []) : [],
    );
  return new Map(functions.map(({ FunctionName, MemorySize }) => [FunctionName, MemorySize]));
};

/** What one of the run's orders took. */
const usageOf = ({ calls, invocations, logs }: PipelineRun) => {
  const memoryMb = readMemoryMb();
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
    sqsSends: perOrder(calls['sqs SendMessage']),
    // Each order is received twice: for its download, and for its processing.
    sqsReceived: 2,
    sqsBatchSize: (2 * orders) / batches,
    lambdaInvocations: perOrder(sum(Object.values(invocations).map(({ count }) => count))),
    lambdaGbSeconds: perOrder(sum(gbSeconds)),
    logBytes: perOrder(logs.bytes),
  };
};

/** What a clean order takes of AWS: calls, log lines, and what the bill says to that. */
export const economy: FigureSet<
  'log_bytes_per_order' | 'log_lines_per_order' | 'aws_calls_per_order' | 'cost_usd_per_million'
> = {
  title: 'What a clean order takes of AWS',
  bars: {
    log_bytes_per_order: { unit: 'B', bar: 3000, better: 'lower' },
    log_lines_per_order: { unit: 'lines', bar: 6, better: 'lower' },
    aws_calls_per_order: { unit: 'calls', bar: 8, better: 'lower' },
    cost_usd_per_million: { unit: 'USD', bar: 11.5, better: 'lower' },
  },
  measure: async (note) => {
    const run = await runPipeline({ orders, warmUpOrders: 300, ...latencies });
    const { calls, invocations, logs } = run;
    for (const [call, count] of Object.entries(calls)) note(`${call}: ${count / orders} an order`);
    for (const [name, { count, billedMs }] of Object.entries(invocations)) {
      const wide = `${round(orders / count, 1)} orders and ${round(billedMs / count, 0)} billed ms each`;
      note(`${name}: ${count} invocations of ${wide}`);
    }
    const bill = billOf(usageOf(run), prices);
    note('USD per million orders, without storage and what is paid by the month:');
    for (const { item, usdPerMillion } of bill) note(`${item.padEnd(22)}${usdPerMillion.toFixed(2).padStart(6)}`);
    const forOrders = Object.entries(calls).filter(([call]) => !notForAnOrder.includes(call));
    return {
      log_bytes_per_order: round(logs.bytes / orders, 0),
      log_lines_per_order: round(logs.lines / orders, 2),
      aws_calls_per_order: round(sum(forOrders.map(([, count]) => count)) / orders, 3),
      cost_usd_per_million: round(totalOf(bill), 2),
    };
  },
};

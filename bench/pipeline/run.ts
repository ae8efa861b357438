import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { MixedDay } from '../../local/sample/day';
import { startInternalApiSimulator } from '../../local/simulators/internal-api';
import { startQualiaSimulator } from '../../local/simulators/qualia';
import { awaitOrders } from '../../local/start/await-orders';
import { postCalls } from '../../local/start/post-calls';
import { readSecretsFile } from '../../local/start/secrets-file';
import { synthesized } from '../bundle';
import { cleanDay } from '../webhook-event';
import { startAwsProcess, startedSchema } from './aws-process';
import { lambdaCpuMs } from './lambda-cpu';
import { type MemoryPeaks, watchMemory } from './memory';
import type { MeterReport } from './meter';
import { startPlainWorker, withoutWorkers } from './plain-peer';

export interface PipelineRunOptions {
  readonly orders: number;
  /** Warm-up orders, which are not measured: afterwards all processes run and have their secrets. */
  readonly warmUpOrders: number;
  readonly qualiaLatencyMs: number;
  readonly internalApiLatencyMs: number;
  /** Maximum number of processes per function. */
  readonly maxConcurrency: number;
  /** Batches of both workers. Default: those of the stage `dev`. */
  readonly batches?: { readonly batchSize: number; readonly batchingWindowSeconds: number };
  /** Whether to count calls, invocations and log lines. Counting takes memory in the embedded AWS's own process. */
  readonly metered: boolean;
  /**
   * Whether to measure memory. Default: no. For each sample the kernel walks through all pages of the embedded AWS, which
   * takes CPU time from the run.
   */
  readonly watchesMemory?: boolean;
  /** Who works on the orders after the webhook. Default: our Lambdas. */
  readonly workers?: 'lambdas' | 'plain';
}

/** The result of a day of clean orders, without the warm-up. */
export interface PipelineRun extends MeterReport {
  readonly orders: number;
  /** From the first webhook sent to the last order PROCESSED. */
  readonly seconds: number;
  /** From an order's NOTIFIED to its PROCESSED. */
  readonly endToEndMs: readonly number[];
  /** CPU time of all Lambda processes, user and system. */
  readonly lambdaCpuMs: number;
  /** Memory of the embedded AWS, without and with its Lambdas, including the warm-up. 0 if it was not measured. */
  readonly peaks: MemoryPeaks;
}

const patienceMs = 60_000;
/** Time in which an order's last write and its log lines follow its POST. */
const settleMs = 1_000;
const postsSchema = z.object({ posts: z.number() });
const reportSchema = z.object({
  calls: z.record(z.string(), z.number()),
  invocations: z.record(z.string(), z.object({ count: z.number(), billedMs: z.number() })),
  logs: z.object({ bytes: z.number(), lines: z.number() }),
});

/**
 * Sends a day of clean orders through the whole pipeline on the embedded AWS. The simulators and the sender run in
 * this process, the embedded AWS in another.
 *
 * @throws {Error} if an order does not end as PROCESSED
 */
export const runPipeline = async (options: PipelineRunOptions): Promise<PipelineRun> => {
  const { orders, warmUpOrders } = options;
  const isPlain = options.workers === 'plain';
  const stateDirectory = mkdtempSync(path.join(tmpdir(), 'bench-pipeline-'));
  const assemblyDirectory = isPlain
    ? withoutWorkers(synthesized(), path.join(stateDirectory, 'assembly'))
    : synthesized();
  const secretsFile = path.join(stateDirectory, 'secrets.json');
  const secrets = readSecretsFile(secretsFile);
  const warmUp = cleanDay(warmUpOrders);
  const day = cleanDay(orders, warmUpOrders + (warmUpOrders % 2));

  const qualia = await startQualiaSimulator({
    credentials: secrets.QualiaSecret,
    orders: [...warmUp.orders, ...day.orders],
    latencyMs: options.qualiaLatencyMs,
  });
  const internalApi = await startInternalApiSimulator({
    credentials: secrets.InternalApiSecret,
    stateFolder: stateDirectory,
    latencyMs: options.internalApiLatencyMs,
  });
  const aws = await startAwsProcess(options.metered);
  let endWorker = () => {};
  try {
    const { apiUrl, endpoints, outputs } = startedSchema.parse(
      await aws.send({
        kind: 'start',
        assemblyDirectory,
        stateDirectory,
        secretsFile,
        maxConcurrency: options.maxConcurrency,
        ...(options.batches && { batches: options.batches }),
        metered: options.metered,
        environmentOverrides: { QUALIA_API_URL: qualia.url, INTERNAL_API_URL: internalApi.url },
      }),
    );
    const stopWatching = options.watchesMemory ? watchMemory(aws.pid) : undefined;
    const urls = { qualiaUrl: qualia.url, internalApiUrl: internalApi.url };
    if (isPlain) endWorker = startPlainWorker({ endpoints, outputs, secrets, ...urls });
    const tableName = z.string().parse(Object.values(outputs).find((one) => 'OrdersTableName' in one)?.OrdersTableName);

    /** Counts posts at the internal API, so that waiting does not load the embedded AWS. */
    const awaitPosts = async (expected: number): Promise<void> => {
      for (let posts = 0, movedAtMs = Date.now(); posts < expected; await sleep(100)) {
        const response = postsSchema.parse(await (await fetch(`${internalApi.controlUrl}/orders`)).json());
        if (response.posts > posts) movedAtMs = Date.now();
        if (Date.now() - movedAtMs > patienceMs) throw new Error(`Only ${posts} of ${expected} orders were posted`);
        posts = response.posts;
      }
    };
    const send = async ({ calls }: MixedDay, expected: number): Promise<number> => {
      const startedAtMs = Date.now();
      await postCalls({ apiUrl, secret: secrets.WebhookSecret, calls, onAnswer: () => undefined });
      await awaitPosts(expected);
      return startedAtMs;
    };

    await send(warmUp, warmUpOrders);
    await sleep(settleMs);
    await aws.send({ kind: 'report' });

    const cpuBeforeMs = lambdaCpuMs(aws.pid);
    const startedAtMs = await send(day, warmUpOrders + orders);
    await sleep(settleMs);
    const cpuMs = lambdaCpuMs(aws.pid) - cpuBeforeMs;
    const report = reportSchema.parse(await aws.send({ kind: 'report' }));

    const orderIds = Object.keys(day.expected);
    const closed = await awaitOrders({
      endpoint: endpoints.dynamodb,
      tableName,
      orderIds,
      patienceMs,
      onProgress: () => undefined,
    });
    const times = orderIds.map((orderId) => {
      const order = closed.get(orderId);
      if (order?.processed_at === undefined) throw new Error(`Order ${orderId} is ${order?.status ?? 'not closed'}`);
      return { notifiedAtMs: Date.parse(order.notified_at), processedAtMs: Date.parse(order.processed_at) };
    });
    const lastMs = times.reduce((last, { processedAtMs }) => Math.max(last, processedAtMs), startedAtMs);
    const run = {
      orders,
      seconds: (lastMs - startedAtMs) / 1000,
      endToEndMs: times.map(({ notifiedAtMs, processedAtMs }) => processedAtMs - notifiedAtMs),
      lambdaCpuMs: cpuMs,
      peaks: stopWatching?.() ?? { ownMb: 0, familyMb: 0 },
      ...report,
    };
    endWorker();
    await aws.send({ kind: 'stop' });
    return run;
  } finally {
    endWorker();
    aws.end();
    await Promise.all([qualia.stop(), internalApi.stop()]);
    rmSync(stateDirectory, { recursive: true, force: true });
  }
};

import type { Message } from '@aws-sdk/client-sqs';
import { createRandom } from '../../../samples/random';
import type { WorkerName } from '../../../shared/orders/order';
import { freezeClock } from '../../support/clock';
import type { Interceptor } from './interceptor';
import { isInLoop, type RecursiveLoops } from './invocation-trace';
import type { WorkerEnvironment } from './lambdas';
import { startPipeline } from './pipeline';

export interface TimelineOptions {
  /** Number of execution environments per worker. Each has its own circuit breaker. */
  readonly environments: number;
  /** Probability, for each step of the timeline, that a worker gets a new environment. Default: 0. */
  readonly replacementProbability?: number;
  readonly seed: number;
  /** Whether Lambda stops messages that a worker sends to itself too often. Default: `Allow`. */
  readonly recursiveLoops?: RecursiveLoops;
  /** Called after each batch with the number of returned messages and the error of each failed API call. */
  readonly onBatch?: (returnedCount: number, errorCodes: readonly string[]) => void;
}

interface Waiting {
  readonly worker: WorkerName;
  readonly message: Message;
  readonly dueMs: number;
}

const workers = ['download', 'processing'] as const;
const loopsAllowed: RecursiveLoops = { download: 'Allow', processing: 'Allow' };
/** The visibility timeout in the template. */
const visibilityTimeoutMs = 360_000;
const stepCalls = ['fetchOrder', 'postOrder'];

/**
 * Starts an order pipeline with a fake clock, on which hidden and delayed messages become visible at their time. The queues
 * are real, with receive counts and dead letters. The seed decides which environment receives a message.
 *
 * `stop` restores the clock of the process.
 */
export const startTimeline = async (options: TimelineOptions) => {
  const {
    environments: environmentCount,
    replacementProbability = 0,
    seed,
    recursiveLoops = loopsAllowed,
    onBatch,
  } = options;
  const clock = freezeClock();
  const random = createRandom(seed);
  const pipeline = await startPipeline({
    now: clock.now,
    random: random.fraction,
    sleep: async (ms) => clock.advance(ms),
    onlyOwnResponses: true,
  });
  const environments: Record<WorkerName, WorkerEnvironment[]> = {
    download: Array.from({ length: environmentCount }, pipeline.lambdas.download),
    processing: Array.from({ length: environmentCount }, pipeline.lambdas.processing),
  };
  let waiting: Waiting[] = [];
  const dueMs = new Map<string, number>();
  const firstReceivedMs = new Map<string, number>();

  const collect = async (): Promise<void> => {
    for (const worker of workers) {
      let messages: readonly Message[];
      do {
        messages = await pipeline.receive(worker, 10);
        for (const message of messages) {
          const { MessageId: id = '' } = message;
          waiting.push({
            worker,
            message,
            dueMs: dueMs.get(id) ?? clock.now() + 1_000 * (pipeline.waitSecondsOf.get(id) ?? 0),
          });
        }
      } while (messages.length > 0);
    }
  };

  /** Fails the messages that Lambda would stop. @returns the others */
  const stopLoops = async (worker: WorkerName, messages: readonly Message[]): Promise<readonly Message[]> => {
    const stopped = messages.filter((message) => recursiveLoops[worker] === 'Terminate' && isInLoop(worker, message));
    for (const { MessageId = '' } of stopped) dueMs.set(MessageId, clock.now() + visibilityTimeoutMs);
    await pipeline.release(worker, stopped);
    return messages.filter((message) => !stopped.includes(message));
  };

  const handle = async (
    worker: WorkerName,
    environment: WorkerEnvironment,
    received: readonly Message[],
  ): Promise<void> => {
    const messages = await stopLoops(worker, received);
    if (messages.length === 0) return;
    for (const { MessageId = '', Attributes } of messages) {
      const first = firstReceivedMs.get(MessageId) ?? clock.now();
      firstReceivedMs.set(MessageId, first);
      if (Attributes) Attributes.ApproximateFirstReceiveTimestamp = String(first);
    }
    const errorCodes: string[] = [];
    const interceptor: Interceptor = (call, make) =>
      make().catch((error: { code: string }) => {
        if (stepCalls.includes(call)) errorCodes.push(error.code);
        throw error;
      });
    const result = await pipeline.handle(worker, messages, { environment, interceptor });
    if (result === 'crashed') throw new Error('The worker crashed without a planned crash');
    for (const { MessageId = '', ReceiptHandle = '' } of messages)
      dueMs.set(MessageId, clock.now() + 1_000 * (pipeline.waitSecondsOf.get(ReceiptHandle) ?? 0));
    onBatch?.(result.batchItemFailures.length, errorCodes);
  };

  const deliverDue = async (): Promise<void> => {
    const batches = new Map<WorkerEnvironment, { worker: WorkerName; messages: Message[] }>();
    const later: Waiting[] = [];
    for (const one of waiting) {
      const environment = random.pick(environments[one.worker] as [WorkerEnvironment, ...WorkerEnvironment[]]);
      const batch = batches.get(environment) ?? { worker: one.worker, messages: [] };
      if (one.dueMs > clock.now() || batch.messages.length === 10) later.push(one);
      else batches.set(environment, { ...batch, messages: [...batch.messages, one.message] });
    }
    waiting = later;
    await Promise.all([...batches].map(([environment, { worker, messages }]) => handle(worker, environment, messages)));
  };

  const replaceSome = async (): Promise<void> => {
    for (const worker of workers) {
      if (!random.chance(replacementProbability)) continue;
      const [oldest] = environments[worker].splice(0, 1, pipeline.lambdas[worker]());
      environments[worker].push(...environments[worker].splice(0, 1));
      await oldest?.close();
    }
  };

  return {
    pipeline,
    clock,

    /** Delivers messages for this time, or until none is left. */
    run: async (ms: number): Promise<void> => {
      const endMs = clock.now() + ms;
      for (await collect(); waiting.length > 0 && clock.now() < endMs; await collect()) {
        const nextMs = Math.min(...waiting.map((one) => one.dueMs));
        if (nextMs > clock.now()) clock.advance(Math.min(nextMs, endMs) - clock.now());
        await deliverDue();
        await replaceSome();
      }
    },

    stop: async (): Promise<void> => {
      jest.useRealTimers();
      for (const worker of workers) for (const { close } of environments[worker]) await close();
      await pipeline.stop();
    },
  };
};

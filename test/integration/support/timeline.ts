import type { Message } from '@aws-sdk/client-sqs';
import { createRandom } from '../../../local/simulators/random';
import { freezeClock } from '../../support/clock';
import { isInLoop, type RecursiveLoops } from './invocation-trace';
import type { Worker } from './lambdas';
import type { Outside } from './outside';
import { type StageName, startPipeline } from './pipeline';

export interface TimelineOptions {
  /** Execution environments of each worker, every one with a circuit breaker of its own. */
  readonly workers: number;
  /** Probability that a worker is replaced by a new one, each time that messages move. Default: 0. */
  readonly replaced?: number;
  readonly seed: number;
  /** Whether Lambda stops a worker's messages that have gone round too often; `Allow` by default. */
  readonly recursiveLoops?: RecursiveLoops;
  /** Called after each batch with the number of returned messages and the error of each failed API call. */
  readonly onBatch?: (cameBack: number, errorCodes: readonly string[]) => void;
}

interface Waiting {
  readonly stage: StageName;
  readonly message: Message;
  readonly dueMs: number;
}

const stages = ['download', 'processing'] as const;
const loopsAllowed: RecursiveLoops = { download: 'Allow', processing: 'Allow' };
/** Of the queues, in the template. */
const visibilityTimeoutMs = 360_000;
const stepCalls = ['fetchOrder', 'postOrder'];

/**
 * The order pipeline on a clock that we move: what is hidden or delayed comes back when its time has come. The queues
 * are real, with their receive counts and dead letters; which worker gets which message is up to the seed.
 *
 * `stop` sets the clock of the process going again.
 */
export const startTimeline = async (options: TimelineOptions) => {
  const { workers, replaced = 0, seed, recursiveLoops = loopsAllowed, onBatch } = options;
  const clock = freezeClock();
  const random = createRandom(seed);
  const pipeline = await startPipeline({
    now: clock.now,
    random: random.fraction,
    sleep: async (ms) => clock.pass(ms),
    alone: true,
  });
  const environments: Record<StageName, Worker[]> = {
    download: Array.from({ length: workers }, pipeline.lambdas.download),
    processing: Array.from({ length: workers }, pipeline.lambdas.processing),
  };
  let waiting: Waiting[] = [];
  const dueMs = new Map<string, number>();
  const firstReceivedMs = new Map<string, number>();

  const collect = async (): Promise<void> => {
    for (const stage of stages) {
      let messages: readonly Message[];
      do {
        messages = await pipeline.receive(stage, 10);
        for (const message of messages) {
          const { MessageId: id = '' } = message;
          waiting.push({
            stage,
            message,
            dueMs: dueMs.get(id) ?? clock.now() + 1_000 * (pipeline.waitOf.get(id) ?? 0),
          });
        }
      } while (messages.length > 0);
    }
  };

  /** Fails the messages that Lambda would not deliver. @returns the others */
  const stopLoops = async (stage: StageName, messages: readonly Message[]): Promise<readonly Message[]> => {
    const stopped = messages.filter((message) => recursiveLoops[stage] === 'Terminate' && isInLoop(stage, message));
    for (const { MessageId = '' } of stopped) dueMs.set(MessageId, clock.now() + visibilityTimeoutMs);
    await pipeline.release(stage, stopped);
    return messages.filter((message) => !stopped.includes(message));
  };

  const handle = async (stage: StageName, worker: Worker, received: readonly Message[]): Promise<void> => {
    const messages = await stopLoops(stage, received);
    if (messages.length === 0) return;
    for (const { MessageId = '', Attributes } of messages) {
      const first = firstReceivedMs.get(MessageId) ?? clock.now();
      firstReceivedMs.set(MessageId, first);
      if (Attributes) Attributes.ApproximateFirstReceiveTimestamp = String(first);
    }
    const errorCodes: string[] = [];
    const outside: Outside = (call, make) =>
      make().catch((error: { code: string }) => {
        if (stepCalls.includes(call)) errorCodes.push(error.code);
        throw error;
      });
    const result = await pipeline.handle(stage, messages, { worker, outside });
    if (result === 'died') throw new Error('The worker died without a planned crash');
    for (const { MessageId = '', ReceiptHandle = '' } of messages)
      dueMs.set(MessageId, clock.now() + 1_000 * (pipeline.waitOf.get(ReceiptHandle) ?? 0));
    onBatch?.(result.batchItemFailures.length, errorCodes);
  };

  const deliverDue = async (): Promise<void> => {
    const batches = new Map<Worker, { stage: StageName; messages: Message[] }>();
    const later: Waiting[] = [];
    for (const one of waiting) {
      const worker = random.pick(environments[one.stage] as [Worker, ...Worker[]]);
      const batch = batches.get(worker) ?? { stage: one.stage, messages: [] };
      if (one.dueMs > clock.now() || batch.messages.length === 10) later.push(one);
      else batches.set(worker, { ...batch, messages: [...batch.messages, one.message] });
    }
    waiting = later;
    await Promise.all([...batches].map(([worker, { stage, messages }]) => handle(stage, worker, messages)));
  };

  const replaceSome = async (): Promise<void> => {
    for (const stage of stages) {
      if (!random.chance(replaced)) continue;
      const [oldest] = environments[stage].splice(0, 1, pipeline.lambdas[stage]());
      environments[stage].push(...environments[stage].splice(0, 1));
      await oldest?.close();
    }
  };

  return {
    pipeline,
    clock,

    /** Lets messages move for so long, or until none is left. */
    run: async (ms: number): Promise<void> => {
      const endMs = clock.now() + ms;
      for (await collect(); waiting.length > 0 && clock.now() < endMs; await collect()) {
        const nextMs = Math.min(...waiting.map((one) => one.dueMs));
        if (nextMs > clock.now()) clock.pass(Math.min(nextMs, endMs) - clock.now());
        await deliverDue();
        await replaceSome();
      }
    },

    stop: async (): Promise<void> => {
      jest.useRealTimers();
      for (const stage of stages) for (const { close } of environments[stage]) await close();
      await pipeline.stop();
    },
  };
};

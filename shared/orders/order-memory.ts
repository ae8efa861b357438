import { createByteBudget } from '../concurrency/byte-budget';
import { type ApiName, PipelineError } from '../errors';
import type { BodyMemory } from '../http/body';

/** The memory that the bytes of one order may use. */
export interface OrderMemory extends BodyMemory {
  /**
   * Waits for memory until little time is left for the work.
   *
   * @throws {MemoryWaitError} if none became free in time
   */
  reserve(bytes: number): Promise<void>;
  /** Other orders may use the memory. */
  release(): void;
}

/** The memory of a worker's process, shared by the orders of a batch. */
export interface WorkerMemory {
  /** The memory of one order, with nothing reserved. @param deadlineMs end of the work, epoch ms */
  open(api: ApiName, deadlineMs: number, now: () => number): OrderMemory;
}

/** Larger orders of the batch used all memory. Says nothing about this one. */
export class MemoryWaitError extends PipelineError {
  constructor(api: ApiName) {
    super('TIMEOUT', 'Larger orders used the memory until there was no time left for this one', {
      api,
      retryable: true,
    });
  }
}

/** Time for the work on an order after its wait: a slow response, its record and its message. */
const workMs = 15_000;

const minMemoryMb = 128;
const mebibyte = 1024 * 1024;
/** RSS of a worker whose orders are small. */
const baseBytes = 130 * mebibyte;
/**
 * RSS per byte of an order, with the garbage that the orders before it left: of eight orders in a row, whatever they
 * consist of (`npm run bench -- large_orders`). An order of people and addresses takes 16 to 40, one of `{}` 86.
 */
const rssPerByte = 90;
/** An order of up to this size needs no reservation. A typical one has 5 kB. */
const smallBytes = 32 * 1024;

/** Before an order of this size or more, garbage is collected. */
const collectBeforeBytes = 128 * 1024;

/** Bytes of large orders that a function with this memory can hold at a time. */
export const largeOrderBytes = (memoryMb: number): number => Math.max(0, memoryMb * mebibyte - baseBytes) / rssPerByte;

/**
 * Limits the bytes of the orders that a worker has in memory at a time.
 *
 * @param memoryMb memory of the function, MiB. Default: the least that a function can have
 * @param collectGarbage Default: V8's function, which Lambda exposes (`--expose-gc`). V8 itself collects late, as its limit
 * is 90 % of the function's memory and does not count buffers. The budget also suffices without it, with less to spare
 */
export const createWorkerMemory = (
  memoryMb = minMemoryMb,
  collectGarbage: (() => unknown) | undefined = globalThis.gc,
): WorkerMemory => {
  const budget = createByteBudget({ totalBytes: largeOrderBytes(memoryMb), freeBytes: smallBytes });
  return {
    open: (api, deadlineMs, now) => {
      const { tryReserve, reserve, release } = budget.open();
      return {
        smallBytes,
        tryReserve: (bytes) => {
          const isReserved = tryReserve(bytes);
          if (isReserved && bytes >= collectBeforeBytes) collectGarbage?.();
          return isReserved;
        },
        release,
        reserve: async (bytes) => {
          if (!(await reserve(bytes, deadlineMs - workMs - now()))) throw new MemoryWaitError(api);
        },
      };
    },
  };
};

import crypto from 'node:crypto';
import timersPromises from 'node:timers/promises';
import type { Scheduler, Timer } from './scheduler';

const hexOf = (scheduler: Scheduler, digits: number): string =>
  Array.from({ length: digits }, () => scheduler.choose.integer(0, 15).toString(16)).join('');

/** Replaces a property until `restore` is called. */
const replace = <T extends object, K extends keyof T>(target: T, key: K, value: unknown): (() => void) => {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { configurable: true, writable: true, value });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, before);
  };
};

/**
 * Replaces every source of time and randomness of this process by those of the scheduler, also for libraries: nothing
 * in the simulated code waits for real time, and nothing differs between two runs.
 *
 * @returns a function that restores the real ones
 */
export const installVirtualTime = (scheduler: Scheduler): (() => void) => {
  const { now, after, choose, sleep } = scheduler;
  const startMs = now();

  /** The handle of a timer, as far as our code and its libraries use it. */
  const handleOf = (timer: Timer) => {
    const handle = { timer, ref: () => handle, unref: () => handle, hasRef: () => false };
    return handle;
  };
  const cancel = (handle: Partial<ReturnType<typeof handleOf>> | undefined): void => handle?.timer?.cancel();

  const timeout = (ms: number): AbortSignal => {
    const controller = new AbortController();
    after(ms, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
    return controller.signal;
  };

  const sleepFor = async (ms = 0, value?: unknown, options: { readonly signal?: AbortSignal } = {}) => {
    const { signal } = options;
    if (signal === undefined) return sleep(ms).then(() => value);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = after(ms, () => resolve(value));
    const abort = (): void => {
      timer.cancel();
      reject(new DOMException('The operation was aborted', 'AbortError'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return promise;
  };

  /** Runs until it is cancelled. */
  const interval = (run: () => void, ms = 0) => {
    let timer: Timer;
    const next = (): void => {
      timer = after(ms, () => {
        next();
        run();
      });
    };
    next();
    return handleOf({ atMs: now() + ms, cancel: () => timer.cancel() });
  };

  const restores = [
    replace(Date, 'now', now),
    replace(performance, 'now', () => now() - startMs),
    replace(Math, 'random', choose.fraction),
    replace(globalThis, 'setTimeout', (run: () => void, ms = 0) => handleOf(after(ms, () => run()))),
    replace(globalThis, 'clearTimeout', cancel),
    replace(globalThis, 'setInterval', interval),
    replace(globalThis, 'clearInterval', cancel),
    replace(globalThis, 'setImmediate', (run: () => void) => handleOf(after(0, () => run()))),
    replace(globalThis, 'clearImmediate', cancel),
    replace(AbortSignal, 'timeout', timeout),
    replace(timersPromises, 'setTimeout', sleepFor),
    replace(timersPromises, 'setImmediate', () => sleep(0)),
    replace(crypto, 'randomBytes', (size: number) => Buffer.from(hexOf(scheduler, 2 * size), 'hex')),
    replace(crypto, 'randomUUID', () => [8, 4, 4, 4, 12].map((digits) => hexOf(scheduler, digits)).join('-')),
  ];
  return () => {
    for (const restore of restores) restore();
  };
};

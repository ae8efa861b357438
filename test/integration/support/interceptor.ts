import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Intercepts the calls of a Lambda to AWS and the two APIs. `call` is the operation, such as `UpdateItem` or `postOrder`;
 * `make` makes the call.
 */
export type Interceptor = <T>(call: string, make: () => Promise<T>) => Promise<T>;

const current = new AsyncLocalStorage<Interceptor>();

/** Runs an invocation whose calls all go through `interceptor`. */
export const runIntercepted = <T>(interceptor: Interceptor, run: () => Promise<T>): Promise<T> =>
  current.run(interceptor, run);

/** Makes a call through the interceptor of the current invocation, if there is one. */
export const makeCall: Interceptor = (call, make) => current.getStore()?.(call, make) ?? make();

/** Records the names of all calls. */
export const recordCalls = () => {
  const calls: string[] = [];
  const interceptor: Interceptor = (call, make) => {
    calls.push(call);
    return make();
  };
  return { interceptor, calls };
};

/** Runs `action` before the first call with this name. */
export const runBefore = (name: string, action: () => Promise<unknown>): Interceptor => {
  let hasRun = false;
  return async (call, make) => {
    if (call === name && !hasRun) {
      hasRun = true;
      await action();
    }
    return make();
  };
};

/** The point at which a process crashes: before a call, or after the call took effect and before its response. */
export interface Crash {
  readonly call: string;
  readonly when: 'before' | 'after';
  /** Number of the call with this name, from 1. Default: 1. */
  readonly nth?: number;
}

/** Simulates a crash: the call never returns, and neither does any later call of the invocation. */
export const crashAt = ({ call: crashingCall, when, nth = 1 }: Crash) => {
  const { promise: crashed, resolve } = Promise.withResolvers<'crashed'>();
  let isCrashed = false;
  let count = 0;
  const crash = (): Promise<never> => {
    isCrashed = true;
    resolve('crashed');
    return new Promise(() => undefined);
  };
  const interceptor: Interceptor = async (call, make) => {
    const crashesHere = call === crashingCall && ++count === nth;
    if (isCrashed || (crashesHere && when === 'before')) return crash();
    const result = await make().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (isCrashed || crashesHere) return crash();
    if ('error' in result) throw result.error;
    return result.value;
  };
  return { interceptor, crashed };
};

import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Stands between a Lambda and everything outside of it: AWS and the two APIs. `call` names the operation, such as
 * `UpdateItem` or `postOrder`; `make` makes it.
 */
export type Outside = <T>(call: string, make: () => Promise<T>) => Promise<T>;

const current = new AsyncLocalStorage<Outside>();

/** Runs an invocation whose calls all go through `outside`. */
export const runWithin = <T>(outside: Outside, run: () => Promise<T>): Promise<T> => current.run(outside, run);

/** Makes a call through whatever stands between it and the outside now. */
export const reach: Outside = (call, make) => current.getStore()?.(call, make) ?? make();

/** Lets every call through, and notes it. */
export const recording = () => {
  const calls: string[] = [];
  const outside: Outside = (call, make) => {
    calls.push(call);
    return make();
  };
  return { outside, calls };
};

/** Does something just before the first call of a name. */
export const justBefore = (name: string, act: () => Promise<unknown>): Outside => {
  let done = false;
  return async (call, make) => {
    if (call === name && !done) {
      done = true;
      await act();
    }
    return make();
  };
};

/** Where a process dies: just before a call, or when it was made and its answer is on the way. */
export interface Death {
  readonly call: string;
  readonly when: 'before' | 'after';
  /** Number of the call of that name, from 1. Default: 1. */
  readonly nth?: number;
}

/** A process that dies at a call: neither that call nor anything else in the process continues. */
export const dyingAt = ({ call: deadly, when, nth = 1 }: Death) => {
  const { promise: died, resolve } = Promise.withResolvers<'died'>();
  let dead = false;
  let seen = 0;
  const die = (): Promise<never> => {
    dead = true;
    resolve('died');
    return new Promise(() => undefined);
  };
  const outside: Outside = async (call, make) => {
    const deadlyNow = call === deadly && ++seen === nth;
    if (dead || (deadlyNow && when === 'before')) return die();
    const result = await make().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (dead || deadlyNow) return die();
    if ('error' in result) throw result.error;
    return result.value;
  };
  return { outside, died };
};

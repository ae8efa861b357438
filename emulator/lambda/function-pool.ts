import type { ExecutionEnvironment, FunctionDefinition, InvocationResult } from './execution-environment';

/** The processes of one function: as many as it needs, up to a maximum. */
export interface FunctionPool {
  readonly definition: FunctionDefinition;
  /** Maximum number of invocations that run at the same time. Further invocations wait. */
  readonly maxConcurrency: number;
  /**
   * Whether Lambda throttles one more invocation: those that run or wait use up the function's concurrency. Reports the
   * throttle, so call it only for an invocation that is then refused.
   */
  throttles(): boolean;
  /** Changes the reserved concurrency until the next start. 0 switches the function off; undefined: no reservation. */
  reserve(concurrency: number | undefined): void;
  reserved(): number | undefined;
  /**
   * Invokes the function. Never rejects: the function's failure is a result with `functionError`.
   * @param payload JSON text
   * @param causes trace headers of the requests that caused the invocation
   */
  invoke(payload: string, causes?: readonly string[]): Promise<InvocationResult>;
  /** Kills its processes, including busy ones. The next invocation gets a new process. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Is notified of the invocations of one function. */
export interface InvocationObserver {
  /** @param concurrency number of invocations that run or wait, with this one */
  started(concurrency: number): void;
  ended(invocation: { readonly durationMs: number; readonly failed: boolean }): void;
  throttled(): void;
}

interface Waiting {
  readonly payload: string;
  readonly causes: readonly string[] | undefined;
  settle(result: InvocationResult): void;
}

const stoppedResult: InvocationResult = {
  payload: JSON.stringify({ errorType: 'ServiceException', errorMessage: 'The embedded AWS was stopped' }),
  functionError: 'Unhandled',
};

const throttledResult: InvocationResult = {
  payload: JSON.stringify({ errorType: 'TooManyRequestsException', errorMessage: 'Rate Exceeded.' }),
  functionError: 'Unhandled',
};

/** The concurrency of a function without a reservation: that of the account. */
const accountConcurrency = 1_000;

/**
 * Manages the execution environments of one function. It reuses idle ones and starts a new one only if none is idle.
 * This machine runs fewer processes than Lambda would, so other invocations wait.
 * @param maxProcesses maximum number of processes, even if the function reserves more
 * @param startsCold whether an invocation gets its own process, in addition to the others, which ends with it
 */
export const createFunctionPool = (
  definition: FunctionDefinition,
  limits: { readonly reserved: number | undefined; readonly maxProcesses: number },
  startEnvironment: () => Promise<ExecutionEnvironment>,
  startsCold: (payload: string) => boolean = () => false,
  observer?: InvocationObserver,
): FunctionPool => {
  const live = new Set<ExecutionEnvironment>();
  const idle: ExecutionEnvironment[] = [];
  const waiting: Waiting[] = [];
  let { reserved } = limits;
  const available = () => reserved ?? accountConcurrency;
  const maxConcurrency = Math.min(available(), limits.maxProcesses);
  let unsettled = 0;
  let size = 0;
  let starting = 0;
  let stopped = false;

  const dispatch = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const environment = idle.pop();
      const next = waiting.shift();
      if (environment && next) {
        void run(environment, next);
      }
    }
    while (!stopped && waiting.length > starting && size < maxConcurrency) {
      void start();
    }
  };

  const observed = async (running: Promise<InvocationResult>): Promise<InvocationResult> => {
    const startedAt = performance.now();
    const result = await running;
    observer?.ended({ durationMs: performance.now() - startedAt, failed: result.functionError !== undefined });
    return result;
  };

  const run = async (environment: ExecutionEnvironment, { payload, causes, settle }: Waiting) => {
    settle(await observed(environment.invoke(payload, causes)));
    release(environment);
  };

  const release = (environment: ExecutionEnvironment) => {
    if (live.has(environment)) {
      idle.push(environment);
    }
    dispatch();
  };

  const start = async () => {
    size++;
    starting++;
    const environment = await startEnvironment();
    live.add(environment);
    void environment.exited.then(() => {
      live.delete(environment);
      size--;
      const index = idle.indexOf(environment);
      if (index >= 0) {
        idle.splice(index, 1);
      }
      dispatch();
    });
    if (stopped) {
      await environment.stop();
    }
    const initError = await environment.initialized;
    starting--;
    if (initError) {
      waiting.shift()?.settle(await observed(Promise.resolve(initError)));
      await environment.stop();
    } else {
      release(environment);
    }
  };

  const runAlone = async ({ payload, causes, settle }: Waiting) => {
    const environment = await startEnvironment();
    live.add(environment);
    settle(await observed(environment.initialized.then((failure) => failure ?? environment.invoke(payload, causes))));
    live.delete(environment);
    await environment.stop();
  };

  const kill = async () => {
    idle.length = 0;
    await Promise.all([...live].map((environment) => environment.stop()));
  };

  return {
    definition,
    maxConcurrency,
    throttles() {
      const throttles = unsettled >= available();
      if (throttles) observer?.throttled();
      return throttles;
    },
    reserve(concurrency) {
      reserved = concurrency;
    },
    reserved: () => reserved,
    invoke: (payload, causes) =>
      new Promise((resolve) => {
        unsettled++;
        observer?.started(unsettled);
        const settle = (result: InvocationResult) => {
          unsettled--;
          resolve(result);
        };
        if (stopped) {
          settle(stoppedResult);
          return;
        }
        // A poller of a queue does not ask whether it is throttled: its messages return.
        if (reserved === 0) {
          observer?.throttled();
          settle(throttledResult);
          return;
        }
        if (startsCold(payload)) {
          void runAlone({ payload, causes, settle });
          return;
        }
        waiting.push({ payload, causes, settle });
        dispatch();
      }),
    kill,
    async stop() {
      stopped = true;
      for (const { settle } of waiting.splice(0)) {
        settle(stoppedResult);
      }
      await kill();
    },
  };
};

import type { ExecutionEnvironment, FunctionDefinition, InvocationResult } from './execution-environment';

/** The processes of one function: as many as it needs, up to a maximum. */
export interface FunctionPool {
  readonly definition: FunctionDefinition;
  /** Maximum number of invocations that run at the same time. Further invocations wait. */
  readonly maxConcurrency: number;
  /** Whether Lambda would throttle one more invocation: those that run or wait use up the function's concurrency. */
  isThrottled(): boolean;
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

interface Waiting {
  readonly payload: string;
  readonly causes: readonly string[] | undefined;
  settle(result: InvocationResult): void;
}

const stoppedResult: InvocationResult = {
  payload: JSON.stringify({ errorType: 'ServiceException', errorMessage: 'The embedded AWS was stopped' }),
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
  {
    reserved = accountConcurrency,
    maxProcesses,
  }: { readonly reserved: number | undefined; readonly maxProcesses: number },
  startEnvironment: () => Promise<ExecutionEnvironment>,
  startsCold: (payload: string) => boolean = () => false,
): FunctionPool => {
  const live = new Set<ExecutionEnvironment>();
  const idle: ExecutionEnvironment[] = [];
  const waiting: Waiting[] = [];
  const maxConcurrency = Math.min(reserved, maxProcesses);
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

  const run = async (environment: ExecutionEnvironment, { payload, causes, settle }: Waiting) => {
    settle(await environment.invoke(payload, causes));
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
      waiting.shift()?.settle(initError);
      await environment.stop();
    } else {
      release(environment);
    }
  };

  const runAlone = async ({ payload, causes, settle }: Waiting) => {
    const environment = await startEnvironment();
    live.add(environment);
    settle((await environment.initialized) ?? (await environment.invoke(payload, causes)));
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
    isThrottled: () => unsettled >= reserved,
    invoke: (payload, causes) =>
      new Promise((resolve) => {
        unsettled++;
        const settle = (result: InvocationResult) => {
          unsettled--;
          resolve(result);
        };
        if (stopped) {
          settle(stoppedResult);
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

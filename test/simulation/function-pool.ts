import type { Context } from 'aws-lambda';
import { lambdaContext } from '../support/lambda-context';
import { createLambdaProcess, type LambdaProcess } from './lambda-process';
import type { Release } from './release';
import type { Scheduler } from './scheduler';
import type { Trace } from './trace';

export type Handler = (event: never, context: Context) => Promise<unknown>;

export interface FunctionOptions {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly name: string;
  readonly timeoutMs: number;
  /** The composition root: creates the handler of a new process. */
  readonly create: (process: LambdaProcess, release: Release) => Handler;
}

/** How an invocation ended. `failed`: an error, a timeout or a crash. */
export type Outcome = { readonly kind: 'returned'; readonly value: unknown } | { readonly kind: 'failed' };

interface Environment {
  readonly release: Release;
  readonly process: LambdaProcess;
  readonly handler: Handler;
}

/** A Lambda: processes that each handle one invocation at a time. */
export const createFunctionPool = ({ scheduler, trace, name, timeoutMs, create }: FunctionOptions) => {
  const environments = new Set<Environment>();
  let idle: Environment[] = [];
  let created = 0;
  let deployed: Release = 'present';
  let isMixedUntilMs = 0;

  /** The release that handles the next invocation. While two are mixed, either may. */
  const nextRelease = (): Release => {
    if (scheduler.now() >= isMixedUntilMs || scheduler.choose.chance(0.5)) return deployed;
    return deployed === 'present' ? 'earlier' : 'present';
  };

  const start = (release: Release): Environment => {
    const process = createLambdaProcess(scheduler, `${name}-${++created}`);
    const environment = { release, process, handler: create(process, release) };
    environments.add(environment);
    return environment;
  };

  const invoke = async (event: unknown): Promise<Outcome> => {
    const release = nextRelease();
    const at = idle.findLastIndex((one) => one.release === release);
    const environment = idle.splice(at, at < 0 ? 0 : 1)[0] ?? start(release);
    const { process, handler } = environment;
    process.resume();
    const endsAtMs = scheduler.now() + timeoutMs;
    const context: Context = {
      ...lambdaContext({ functionName: name }),
      getRemainingTimeInMillis: () => endsAtMs - scheduler.now(),
    };
    const ended = Promise.withResolvers<Outcome>();
    const timer = scheduler.after(timeoutMs, () => {
      trace.add(process.name, 'times out');
      process.kill();
    });
    void process.killed.then(() => ended.resolve({ kind: 'failed' }));
    handler(event as never, context).then(
      (value) => ended.resolve({ kind: 'returned', value }),
      () => ended.resolve({ kind: 'failed' }),
    );
    const outcome = await ended.promise;
    timer.cancel();
    process.suspend();
    if (process.isDead()) environments.delete(environment);
    else if (environments.has(environment)) idle.push(environment);
    return outcome;
  };

  return {
    name,
    invoke,
    processes: (): readonly LambdaProcess[] => [...environments].map(({ process }) => process),
    /** A deployment: invocations under way end, and new processes handle the next ones. */
    replaceAll: (): void => {
      idle = [];
      environments.clear();
    },
    /** Deploys a release. For `mixedMs`, an invocation may still reach a process of the other one. */
    deploy: (release: Release, mixedMs: number): void => {
      deployed = release;
      isMixedUntilMs = scheduler.now() + mixedMs;
    },
    killAll: (): void => {
      for (const { process } of environments) process.kill();
      environments.clear();
      idle = [];
    },
  };
};

export type FunctionPool = ReturnType<typeof createFunctionPool>;

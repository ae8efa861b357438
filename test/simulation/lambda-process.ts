import type { Scheduler } from './scheduler';

/** One execution environment of a Lambda. */
export interface LambdaProcess {
  readonly name: string;
  /** The process's own clock, ms since 1970. */
  readonly now: () => number;
  readonly isDead: () => boolean;
  /** Resolves when the process is killed. */
  readonly killed: Promise<void>;
  /** Ends the process: nothing that it waits for ever resolves. */
  readonly kill: () => void;
  /** Nothing that the process waits for resolves before then. */
  readonly freezeFor: (ms: number) => void;
  /** Between two invocations, nothing that the process waits for resolves. */
  readonly suspend: () => void;
  readonly resume: () => void;
  /** Sets the process's clock off by this time. */
  readonly skewBy: (ms: number) => void;
  /** Resolves when the process can run: at once, after a freeze, or never. */
  readonly canRun: () => Promise<void>;
  /** Of a request in flight: whether the process had sent it before it was killed or suspended. */
  readonly hasSent: () => boolean;
}

/** Never resolves. A new promise each time: one that all share would keep everything that ever waited for it in memory. */
export const noResponse = (): Promise<never> => new Promise<never>(() => undefined);

export const createLambdaProcess = (scheduler: Scheduler, name: string): LambdaProcess => {
  let isDead = false;
  let frozenUntilMs = 0;
  let skewMs = 0;
  let resumed: PromiseWithResolvers<void> | undefined;
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  return {
    name,
    killed,
    now: () => scheduler.now() + skewMs,
    isDead: () => isDead,
    kill: () => {
      isDead = true;
      resolve();
    },
    freezeFor: (ms) => {
      frozenUntilMs = Math.max(frozenUntilMs, scheduler.now() + ms);
    },
    suspend: () => {
      resumed ??= Promise.withResolvers<void>();
    },
    resume: () => {
      resumed?.resolve();
      resumed = undefined;
    },
    skewBy: (ms) => {
      skewMs = ms;
    },
    canRun: async () => {
      while (!isDead && (resumed !== undefined || frozenUntilMs > scheduler.now())) {
        await (resumed?.promise ?? scheduler.sleep(frozenUntilMs - scheduler.now()));
      }
      if (isDead) await noResponse();
    },
    hasSent: () => (!isDead && resumed === undefined) || scheduler.choose.chance(0.5),
  };
};

import type { OrderId, RequestId, Round } from '../../../shared/orders/order';
import { type ServiceFault, toServiceFault } from '../fault';
import { createRamp } from './ramp';

/** A round that a replay started. */
export interface ReplayRound {
  readonly requestId: RequestId;
  readonly round: Round;
}

/** How a round ended. `superseded`: a newer round took over. */
export type RoundEnd =
  | { readonly outcome: 'posted' | 'unchanged' | 'superseded' }
  | { readonly outcome: 'failed'; readonly code: string };

/** What became of one order of a replay. `code` and `error` say why; `error` is a sentence. */
export type ReplayResult = { readonly orderId: OrderId } & (
  | (ReplayRound & RoundEnd)
  | (ReplayRound & { readonly outcome: 'under_way' })
  | { readonly outcome: 'not_started'; readonly error: string }
);

/** Why a replay stopped before its last order. */
export type StopReason = 'too_many_failed' | 'circuit_open' | 'nothing_ends' | 'unreachable' | 'interrupted';

export interface ReplaySummary {
  readonly stopped: StopReason | undefined;
  /** With `unreachable`: what AWS said. */
  readonly fault: ServiceFault | undefined;
  /** Orders without a round, in the order given: those that a continuation starts. */
  readonly left: readonly OrderId[];
}

export interface ReplayDependencies {
  /** @returns the round, or a sentence that says why there is none */
  readonly start: (orderId: OrderId) => Promise<ReplayRound | { readonly error: string }>;
  /** Reads orders of rounds under way. An order whose round has not ended is left out. */
  readonly readEnds: (rounds: ReadonlyMap<OrderId, Round>) => Promise<ReadonlyMap<OrderId, RoundEnd>>;
  /** Whether an API that the replay needs has been found down since it began. */
  readonly isCircuitOpen: () => boolean;
  readonly onResult: (result: ReplayResult) => void;
  /** Called often. `left` gives the orders that have no round yet. */
  readonly onProgress: (left: () => readonly OrderId[]) => Promise<void>;
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ReplayOptions {
  /** Most rounds that begin in a second. */
  readonly ratePerSecond: number;
  /** Stops the replay. Rounds under way are left to themselves. */
  readonly signal: AbortSignal;
}

const firstPollMs = 250;
const slowestPollMs = 2_000;
/** Starts that wait for AWS at one time. */
const mostStarting = 20;
/** After this time without an end, orders count as stuck; the reconciler takes the same. */
const longestSilenceMs = 15 * 60_000;
/** After a stop, how long the rounds under way may still end and be reported. */
const graceMs = 30_000;

/**
 * Replays orders, three first, then in growing waves (`ramp.ts`), and follows each to its end. Stops by itself when more
 * than a tenth fails, a circuit opens, or nothing ends any more. Starts each order at most once.
 */
export const runReplay = async (
  orderIds: readonly OrderId[],
  dependencies: ReplayDependencies,
  { ratePerSecond, signal }: ReplayOptions,
): Promise<ReplaySummary> => {
  const { start, readEnds, isCircuitOpen, onResult, onProgress, now, sleep } = dependencies;
  const ramp = createRamp({ total: orderIds.length, ratePerSecond });
  const underWay = new Map<OrderId, ReplayRound>();
  const starting = new Set<Promise<void>>();
  const withoutRound = new Set<OrderId>();
  let next = 0;
  let lastEndMs = now();
  let fault: ServiceFault | undefined;
  let crash: { readonly thrown: unknown } | undefined;

  const end = (result: ReplayResult): void => {
    lastEndMs = now();
    ramp.end({ isFailure: result.outcome === 'failed' || result.outcome === 'not_started' });
    onResult(result);
  };

  const launch = (orderId: OrderId): void => {
    ramp.start(now());
    const launched = start(orderId)
      .then((started) => {
        if (!('error' in started)) return void underWay.set(orderId, started);
        withoutRound.add(orderId);
        end({ orderId, outcome: 'not_started', error: started.error });
      })
      .catch((thrown: unknown) => {
        crash ??= { thrown };
      })
      .finally(() => starting.delete(launched));
    starting.add(launched);
  };

  /** @returns whether any order has ended */
  const poll = async (): Promise<boolean> => {
    if (underWay.size === 0) return false;
    const rounds = new Map([...underWay].map(([orderId, { round }]) => [orderId, round]));
    const ends = await readEnds(rounds).catch((thrown: unknown) => {
      fault = toServiceFault(thrown);
      if (fault === undefined) throw thrown;
      return new Map<OrderId, RoundEnd>();
    });
    for (const [orderId, roundEnd] of ends) {
      const round = underWay.get(orderId);
      if (round === undefined) continue;
      underWay.delete(orderId);
      end({ orderId, ...round, ...roundEnd });
    }
    return ends.size > 0;
  };

  const left = (): OrderId[] => orderIds.filter((orderId, index) => index >= next || withoutRound.has(orderId));

  const stopReason = (): StopReason | undefined => {
    if (signal.aborted) return 'interrupted';
    if (ramp.tooManyFailed()) return 'too_many_failed';
    if (ramp.isComplete()) return undefined;
    if (fault !== undefined) return 'unreachable';
    if (isCircuitOpen()) return 'circuit_open';
    return underWay.size > 0 && now() - lastEndMs > longestSilenceMs ? 'nothing_ends' : undefined;
  };

  let pollMs = firstPollMs;
  let nextPollMs = now() + firstPollMs;
  let stopped: StopReason | undefined;
  while (crash === undefined && !ramp.isComplete()) {
    stopped = stopReason();
    if (stopped !== undefined) break;
    const waitMs = starting.size < mostStarting ? ramp.startsInMs(now()) : firstPollMs;
    const orderId = orderIds[next];
    if (waitMs === 0 && orderId !== undefined) {
      next++;
      launch(orderId);
      continue;
    }
    const untilPollMs = nextPollMs - now();
    if (untilPollMs > 0) {
      await sleep(Math.min(waitMs ?? untilPollMs, untilPollMs), signal);
      continue;
    }
    pollMs = (await poll()) ? firstPollMs : Math.min(2 * pollMs, slowestPollMs);
    nextPollMs = now() + pollMs;
    await onProgress(left);
  }

  await Promise.all(starting);
  if (crash !== undefined) throw crash.thrown;
  const graceEndsMs = now() + graceMs;
  while (underWay.size > 0 && fault === undefined) {
    await poll();
    if (signal.aborted || now() >= graceEndsMs) break;
    await sleep(slowestPollMs, signal);
  }
  for (const [orderId, round] of underWay) onResult({ orderId, ...round, outcome: 'under_way' });
  await onProgress(left);
  return { stopped, fault, left: left() };
};

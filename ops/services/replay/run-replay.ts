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

/** The result of one order. `code` and `error` give the reason; `error` is a sentence. */
export type ReplayResult = { readonly orderId: OrderId } & (
  | (ReplayRound & RoundEnd)
  | (ReplayRound & { readonly outcome: 'under_way' })
  | { readonly outcome: 'not_started'; readonly error: string }
);

/** Why a replay stopped before its last order. */
export type StopReason = 'too_many_failed' | 'circuit_open' | 'nothing_ends' | 'unreachable' | 'interrupted';

export interface ReplaySummary {
  readonly stopped: StopReason | undefined;
  /** The AWS error, if `stopped` is `unreachable`. */
  readonly fault: ServiceFault | undefined;
  /** Orders that have no round, in the order given. A continuation starts these. */
  readonly left: readonly OrderId[];
}

export interface ReplayDependencies {
  /** @returns the round, or the reason why there is none, as a sentence */
  readonly start: (orderId: OrderId) => Promise<ReplayRound | { readonly error: string }>;
  /** Reads the orders of rounds in flight. Leaves out an order whose round has not ended. */
  readonly readEnds: (rounds: ReadonlyMap<OrderId, Round>) => Promise<ReadonlyMap<OrderId, RoundEnd>>;
  /** Whether a circuit that the replay needs has opened since it began. */
  readonly isCircuitOpen: () => boolean;
  readonly onResult: (result: ReplayResult) => void;
  /** Called when the replay stops by itself and waits up to {@link graceMs} for this number of orders in flight. */
  readonly onWait: (orders: number) => void;
  /** Called often. `left` returns the orders that have no round yet. */
  readonly onProgress: (left: () => readonly OrderId[]) => Promise<void>;
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ReplayOptions {
  /** Maximum number of rounds started per second. */
  readonly ratePerSecond: number;
  /** Stops the replay. Rounds in flight continue. */
  readonly signal: AbortSignal;
}

const firstPollMs = 250;
const maxPollMs = 2_000;
/** Maximum number of concurrent starts. */
const maxStarting = 20;
/** If no order ends for this long, the orders count as stuck. The reconciler uses the same limit. */
const longestSilenceMs = 15 * 60_000;
/** After a stop, how long to wait for the rounds in flight, to report their ends. */
export const graceMs = 30_000;

/**
 * Replays orders, first three, then in growing waves (`ramp.ts`), and follows each to its end. Stops when more than a
 * tenth has failed, a circuit opens, or no order ends for 15 minutes. Starts each order at most once.
 */
export const runReplay = async (
  orderIds: readonly OrderId[],
  dependencies: ReplayDependencies,
  { ratePerSecond, signal }: ReplayOptions,
): Promise<ReplaySummary> => {
  const { start, readEnds, isCircuitOpen, onResult, onWait, onProgress, now, sleep } = dependencies;
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
    const waitMs = starting.size < maxStarting ? ramp.startsInMs(now()) : firstPollMs;
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
    pollMs = (await poll()) ? firstPollMs : Math.min(2 * pollMs, maxPollMs);
    nextPollMs = now() + pollMs;
    await onProgress(left);
  }

  await Promise.all(starting);
  if (crash !== undefined) throw crash.thrown;
  if (underWay.size > 0 && fault === undefined && !signal.aborted) onWait(underWay.size);
  const graceEndsMs = now() + graceMs;
  while (underWay.size > 0 && fault === undefined) {
    await poll();
    if (signal.aborted || now() >= graceEndsMs) break;
    await sleep(maxPollMs, signal);
  }
  for (const [orderId, round] of underWay) onResult({ orderId, ...round, outcome: 'under_way' });
  await onProgress(left);
  return { stopped, fault, left: left() };
};

import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { OrderId, Round } from '../../../shared/orders/order';
import { createOrderQueries, type OrderOrUnreadable, unreadable } from '../../../shared/orders/queries';
import type { ServiceFault } from '../fault';
import type { StageConnection } from '../stage-connection';
import { type ReplayResult, type ReplaySummary, type RoundEnd, runReplay } from './run-replay';
import { createReplayStarter, type StarterOptions } from './sources';
import { watchCircuits } from './watch-circuits';

export interface ReplayRequest extends StarterOptions {
  /** Maximum number of rounds started per second. */
  readonly ratePerSecond: number;
  /** Stops the replay. Rounds in flight continue. */
  readonly signal: AbortSignal;
  /** Current time in epoch ms, for log searches. */
  readonly now: () => number;
  readonly onResult: (result: ReplayResult) => void;
  /** Called when the replay stops by itself and waits for this number of orders in flight. */
  readonly onWait: (orders: number) => void;
  /** Called often. `left` returns the orders that have no round yet. */
  readonly onProgress: (left: () => readonly OrderId[]) => Promise<void>;
  /** Called if the logs cannot be read. An open circuit then shows only in orders that do not end. */
  readonly onBlind: (fault: ServiceFault) => void;
}

export interface FinishedReplay extends ReplaySummary {
  /** Workers whose circuit opened. */
  readonly openCircuits: readonly string[];
}

const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
  await wait(ms, undefined, { signal }).catch(() => undefined);
};

/** Replays orders of a stage and follows each to its end. */
export const replayOrders = async (
  stage: StageConnection,
  orderIds: readonly OrderId[],
  request: ReplayRequest,
): Promise<FinishedReplay> => {
  const { source, force, ratePerSecond, signal, now, onResult, onWait, onProgress, onBlind } = request;
  const queries = createOrderQueries(DynamoDBDocumentClient.from(stage.dynamodb), stage.ordersTableName);
  const watchEnd = new AbortController();
  const openCircuits = watchCircuits(stage, {
    owners: source.kind === 'raw' ? ['processing'] : ['download', 'processing'],
    now,
    sleep,
    signal: watchEnd.signal,
    onBlind,
  });
  try {
    const summary = await runReplay(
      orderIds,
      {
        start: createReplayStarter(stage, { source, force }),
        readEnds: async (rounds) => endsOf(rounds, await queries.readMany([...rounds.keys()])),
        isCircuitOpen: () => openCircuits().length > 0,
        onResult,
        onWait,
        onProgress,
        now: () => performance.now(),
        sleep,
      },
      { ratePerSecond, signal },
    );
    return { ...summary, openCircuits: openCircuits() };
  } finally {
    watchEnd.abort();
  }
};

const endsOf = (
  rounds: ReadonlyMap<OrderId, Round>,
  orders: ReadonlyMap<OrderId, OrderOrUnreadable>,
): ReadonlyMap<OrderId, RoundEnd> => {
  const ends = new Map<OrderId, RoundEnd>();
  for (const [orderId, round] of rounds) {
    const order = orders.get(orderId);
    const end = order && endOf(order, round);
    if (end !== undefined) ends.set(orderId, end);
  }
  return ends;
};

const endOf = (order: OrderOrUnreadable, round: Round): RoundEnd | undefined => {
  if (order === unreadable) return { outcome: 'failed', code: unreadable };
  if (order.round > round) return { outcome: 'superseded' };
  if (order.round < round) return undefined;
  if (order.status === 'FAILED') return { outcome: 'failed', code: order.error.code };
  if (order.status === 'PROCESSED') return { outcome: order.posted_round === round ? 'posted' : 'unchanged' };
  return undefined;
};

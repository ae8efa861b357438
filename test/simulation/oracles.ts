import * as z from 'zod/mini';
import { bodyHashOf } from '../../shared/internal-api/body';
import { mapOrder } from '../../shared/internal-api/mapping';
import type { InternalOrder } from '../../shared/internal-api/order';
import { parseJson } from '../../shared/json';
import { readOrder } from '../../shared/qualia/order';
import type { Effect, InternalApi } from './apis/internal-api';
import type { Qualia } from './apis/qualia';
import { settings } from './composition';
import type { Notified } from './webhook-sender';

type Item = Readonly<Record<string, unknown>>;

/** What is wrong at the end of a history, or was wrong at some time. */
export interface Violation {
  readonly oracle: 'backwards' | 'open' | 'stale' | 'doubled' | 'limit' | 'messages' | 'calls';
  readonly about: string;
}

const itemSchema = z.object({
  order_id: z.string(),
  round: z.string(),
  status: z.enum(['NOTIFIED', 'DOWNLOADED', 'PROCESSED', 'FAILED']),
  error: z.optional(z.object({ code: z.string() })),
});

/** The statuses that may follow each status in the same round. Written from the design, not from our code. */
const next: Readonly<Record<string, readonly string[]>> = {
  NOTIFIED: ['DOWNLOADED', 'FAILED'],
  DOWNLOADED: ['PROCESSED', 'FAILED'],
  PROCESSED: [],
  FAILED: [],
  EXHAUSTED: ['DOWNLOADED', 'PROCESSED', 'FAILED'],
};

/** Watches the writes of order items: no round goes back, and no status goes back within a round. */
export const createLifecycleOracle = (report: (violation: Violation) => void) => {
  const seen = new Map<string, { readonly round: string; readonly state: string; readonly status: string }>();
  return (item: Item | undefined): void => {
    const { order_id: id, round, status, error } = itemSchema.parse(item);
    const before = seen.get(id);
    const state = error?.code === 'RETRIES_EXHAUSTED' ? 'EXHAUSTED' : status;
    seen.set(id, { round, status, state });
    if (before === undefined || round > before.round) return;
    const isAllowed =
      round === before.round && (status === before.status || (next[before.state] ?? []).includes(status));
    if (!isAllowed) {
      report({ oracle: 'backwards', about: `${id}: ${before.round} ${before.state} → ${round} ${state}` });
    }
  };
};

const deliveredSchema = z.object({ order_id: z.string(), round: z.string() });

/**
 * Judges the effects of an order after each: a round has one effect, and the newest one may have one more for each
 * delivery of an older round, because that delivery's POST may have overtaken it (docs/adr/0012).
 */
export const createEffectsOracle = (report: (violation: Violation) => void) => {
  /** By order and round. */
  const deliveries = new Map<string, Map<string, number>>();
  return {
    /** Counts a message that the processing worker received. */
    delivered: (body: string): void => {
      const { success, data } = deliveredSchema.safeParse(parseJson(body));
      if (!success) return;
      const ofOrder = deliveries.get(data.order_id) ?? new Map<string, number>();
      deliveries.set(data.order_id, ofOrder.set(data.round, (ofOrder.get(data.round) ?? 0) + 1));
    },
    check: (orderId: string, effects: readonly Effect[]): void => {
      const ofOrder = deliveries.get(orderId) ?? new Map<string, number>();
      const rounds = [...new Set([...ofOrder.keys(), ...effects.map(({ round }) => round)])].sort();
      const ofOlder = rounds.slice(0, -1).reduce((sum, round) => sum + (ofOrder.get(round) ?? 0), 0);
      if (effects.length <= rounds.length + ofOlder) return;
      report({ oracle: 'doubled', about: `${orderId}: ${effects.map(({ round }) => round).join(', ')}` });
    },
  };
};

const newestBodyHash = (effects: readonly Effect[]): string | undefined => {
  const newest = effects.at(-1);
  return newest && bodyHashOf(newest.body as InternalOrder);
};

const expectedBodyHash = (response: Uint8Array): string | undefined => {
  const source = readOrder(response);
  const mapping = source && mapOrder(source);
  return mapping?.kind === 'mapped' ? bodyHashOf(mapping.order) : undefined;
};

export interface EndState {
  readonly qualia: Qualia;
  readonly internalApi: InternalApi;
  readonly itemOf: (orderId: string) => Item | undefined;
  /** Orders with a webhook. */
  readonly notified: ReadonlyMap<string, Readonly<Notified>>;
  /** Messages in each queue and dead-letter queue. */
  readonly messages: Readonly<Record<string, number>>;
  /** Calls to AWS and APIs. */
  readonly calls: number;
  readonly webhooks: number;
  /** Calls about an order: reads and writes of its item, downloads and POSTs. */
  readonly callsOf: (orderId: string) => number;
  /** Webhooks about an order. */
  readonly webhooksOf: (orderId: string) => number;
}

/** Even with every fault, a webhook costs no more calls than this on average, passes of the reconciler included. */
const maxCallsPerWebhook = 150;

/** The same for each order: retries, copies and repeated deliveries included, and a day of passes. */
const maxCallsPerOrder = (webhooks: number): number => 250 + 40 * webhooks;

const isFresh = (id: string, { qualia, internalApi }: EndState): boolean => {
  const response = qualia.responseOf(id);
  return response === undefined || newestBodyHash(internalApi.effects(id)) === expectedBodyHash(response);
};

/** What starts rounds without a webhook: the reconciler, operators, and a worker after an overtaken POST. */
const starters: ReadonlySet<string> = new Set(['reconciliation', 'replay', 'overtaken']);

/**
 * Judges the first rest after the faults, without help by the reconciler: what was acknowledged is done. Exceptions are
 * orders whose newest round has no acknowledged webhook: its starter may have failed before it sent the message, and its
 * own message may be a repeated one, which SQS does not deliver again.
 */
export const judgeRest = (end: EndState): Violation[] => {
  const { qualia, itemOf, notified } = end;
  return [...notified].flatMap(([id, { version, isGivenUp }]): Violation[] => {
    const { status, notification_type: startedBy } = itemOf(id) ?? {};
    if (version === 0 || isGivenUp || starters.has(String(startedBy))) return [];
    if (status !== 'PROCESSED') return [{ oracle: 'open', about: `${id} is ${status} at the first rest` }];
    const isNewest = qualia.orders.get(id)?.version === version;
    return isNewest && !isFresh(id, end) ? [{ oracle: 'stale', about: `${id} at the first rest` }] : [];
  });
};

/** Judges the end of a history, when all faults are over and all work is done. */
export const judgeEnd = (end: EndState): Violation[] => {
  const { qualia, internalApi, itemOf, messages, calls, webhooks, callsOf, webhooksOf } = end;
  const violations: Violation[] = [];
  const report = (oracle: Violation['oracle'], about: string): void => void violations.push({ oracle, about });
  for (const id of qualia.orders.keys()) {
    const status = itemOf(id)?.status;
    if (status !== 'PROCESSED') report('open', `${id}: ${status} ${JSON.stringify(itemOf(id)?.error ?? '')}`);
    if (!isFresh(id, end)) report('stale', `${id}: the internal API does not have its newest version`);
  }
  for (const [queue, count] of Object.entries(messages)) if (count > 0) report('messages', `${count} in ${queue}`);
  const limits = [
    ['Qualia', qualia.mostCalls(), settings.callsPerSecond.qualia],
    ['internal API', internalApi.mostCalls(), settings.callsPerSecond.internalApi],
  ] as const;
  for (const [api, most, limit] of limits) {
    if (most > limit) report('limit', `${most} calls to ${api} in one second, limit ${limit}`);
  }
  for (const id of qualia.orders.keys()) {
    const [ofOrder, sent] = [callsOf(id), webhooksOf(id)];
    if (ofOrder > maxCallsPerOrder(sent)) report('calls', `${ofOrder} calls about ${id} for ${sent} webhooks`);
  }
  if (calls > 1_000 + maxCallsPerWebhook * webhooks) report('calls', `${calls} calls for ${webhooks} webhooks`);
  return violations;
};

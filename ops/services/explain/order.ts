import type { Order } from '../../../shared/orders/order';
import { roundSchema } from '../../../shared/orders/order';
import { roundStartMs } from '../../../shared/orders/round';
import type { Tries } from '../order-log/tries';
import { type Explanation, type Reason, when } from './explanation';

const internalApi = 'the internal API';
const api = { download: 'Qualia', processing: internalApi } as const;

/** Explains whether the internal API has the newest state of an order that we know, and why, or why not. */
export const explainOrder = (order: Order, tries: Tries | undefined, nowMs: number): Explanation => {
  const common = { kind: 'order', id: order.order_id, destination: internalApi } as const;
  switch (order.status) {
    case 'PROCESSED':
      return {
        ...common,
        answer: 'yes',
        summary: summaryOf(order, nowMs),
        reasons: [...postedReasons(order), ...warningReasons(order)],
      };
    case 'FAILED': {
      const { code, stage, message } = order.error;
      const failed: Reason = {
        at: new Date(order.failed_at),
        text: `${stage} failed with ${code}: ${message}`,
        command: `orders replay ${order.order_id}`,
      };
      const summary = `not sent: ${code}`;
      return { ...common, answer: 'no', summary, reasons: [failed, ...earlierPost(order)] };
    }
    default: {
      const summary = `waits for ${order.status === 'NOTIFIED' ? api.download : api.processing}`;
      return { ...common, answer: 'not yet', summary, reasons: [...waitReasons(order, tries), ...earlierPost(order)] };
    }
  }
};

const postedAt = (order: Order): Date | undefined => {
  const round = roundSchema.safeParse(order.posted_round).data;
  return round === undefined ? undefined : new Date(roundStartMs(round));
};

const summaryOf = (order: Extract<Order, { readonly status: 'PROCESSED' }>, nowMs: number): string => {
  const closed = when(new Date(order.processed_at), nowMs);
  if (order.posted_round === order.round) return `posted ${closed}`;
  const at = postedAt(order);
  return at === undefined ? `closed ${closed}` : `posted ${when(at, nowMs)}, unchanged since`;
};

const postedReasons = (order: Extract<Order, { readonly status: 'PROCESSED' }>): Reason[] => {
  const processedAt = new Date(order.processed_at);
  if (order.posted_round === order.round) return [{ at: processedAt, text: 'posted in its newest round' }];
  if (order.posted_round === undefined) return [{ at: processedAt, text: 'closed by its newest round' }];
  return [
    { at: postedAt(order), text: 'posted in the round of this time' },
    { at: processedAt, text: 'unchanged since: its newest round maps to the same body, so nothing was posted' },
  ];
};

const warningReasons = ({ warnings = [] }: Extract<Order, { readonly status: 'PROCESSED' }>): Reason[] =>
  warnings.map(({ code, field }) => ({ text: `sent without ${field}, which could not be read (${code})` }));

/** What an earlier round posted, while the newest one is open or failed. */
const earlierPost = (order: Order): Reason[] =>
  order.posted_round === undefined
    ? []
    : [{ at: postedAt(order), text: `${internalApi} has the state of an earlier round, which began at this time` }];

const waitReasons = (order: Order, tries: Tries | undefined): Reason[] => {
  const worker = order.status === 'NOTIFIED' ? 'download' : 'processing';
  const failure = tries?.lastFailure;
  const waits: Reason = {
    at: new Date(order.notified_at),
    text: `notified; it waits for ${worker}, which calls ${api[worker]}`,
    command: `orders trace ${order.order_id}`,
  };
  if (tries === undefined || failure === undefined) return [waits];
  const code = [failure.code, failure.statusCode ?? []].flat().join(' ');
  return [
    waits,
    { at: failure.at, text: `the last of ${tries.attempts} failed calls: ${code}` },
    ...(tries.nextAttemptAt ? [{ at: tries.nextAttemptAt, text: 'the next attempt is due' }] : []),
  ];
};

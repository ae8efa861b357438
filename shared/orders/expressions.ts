import { type TransitionName, transitions } from './lifecycle';
import type { OrderStatus, Round } from './order';

/** An expression of DynamoDB with its placeholders. */
export interface Expression {
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Update extends Expression {
  /** The fields that get a known value. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** `SET … REMOVE …` over the given fields, with names and values as placeholders. Undefined values are left out. */
export const updateOf = (fieldsToSet: Readonly<Record<string, unknown>>, remove: readonly string[] = []): Update => {
  const set = Object.fromEntries(Object.entries(fieldsToSet).filter(([, value]) => value !== undefined));
  const fields = Object.keys(set);
  const sets = `SET ${fields.map((field) => `#${field} = :${field}`).join(', ')}`;
  const removes = remove.length > 0 ? ` REMOVE ${remove.map((field) => `#${field}`).join(', ')}` : '';
  return {
    set,
    expression: sets + removes,
    names: Object.fromEntries([...fields, ...remove].map((field) => [`#${field}`, field])),
    values: Object.fromEntries(Object.entries(set).map(([field, value]) => [`:${field}`, value])),
  };
};

/** All of the conditions. */
export const allOf = (...conditions: readonly Expression[]): Expression => ({
  expression: conditions.map(({ expression }) => `(${expression})`).join(' AND '),
  names: Object.assign({}, ...conditions.map(({ names }) => names)),
  values: Object.assign({}, ...conditions.map(({ values }) => values)),
});

/** The order is in this round. */
export const isInRound = (round: Round): Expression => ({
  expression: '#round = :if_round',
  names: { '#round': 'round' },
  values: { ':if_round': round },
});

/** The order is in an older round, or has no item. */
export const isOlderThan = (round: Round): Expression => ({
  expression: 'attribute_not_exists(#order_id) OR #round < :if_round',
  names: { '#order_id': 'order_id', '#round': 'round' },
  values: { ':if_round': round },
});

export const isNotProcessed: Expression = {
  expression: '#status <> :if_processed',
  names: { '#status': 'status' },
  values: { ':if_processed': 'PROCESSED' satisfies OrderStatus },
};

/** The order's `repost` has this value, or is absent. */
export const hasRepost = (repost: string | undefined): Expression => ({
  expression: repost === undefined ? 'attribute_not_exists(#repost)' : '#repost = :if_repost',
  names: { '#repost': 'repost' },
  values: repost === undefined ? {} : { ':if_repost': repost },
});

/** The order's state allows the transition, by the table in `lifecycle.ts`. */
export const allows = (name: TransitionName): Expression => {
  const statuses = transitions[name].from.filter((state) => state !== 'EXHAUSTED');
  const values = Object.fromEntries(statuses.map((status) => [`:if_${status}`, status]));
  return {
    expression: `#status IN (${Object.keys(values).join(', ')}) OR (#status = :if_FAILED AND #error.#code = :if_exhausted)`,
    names: { '#status': 'status', '#error': 'error', '#code': 'code' },
    values: { ...values, ':if_FAILED': 'FAILED', ':if_exhausted': 'RETRIES_EXHAUSTED' },
  };
};

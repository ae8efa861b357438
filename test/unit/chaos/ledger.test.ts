import type { Order } from '../../../shared/orders/order';
import { balance, type JournalEntry } from '../../chaos/ledger';
import { checksum, orderId, orders, round } from '../../support/orders';

const processed = (id: string, postedIn = round()): Order => ({
  ...orders.processed({ order_id: orderId(id) }),
  processed_checksum: checksum(id),
  posted_round: postedIn,
});
const taken = (id: string, payload = id, of = round()): JournalEntry => ({
  outcome: 'taken',
  order_id: id,
  round: of,
  idempotency_key: `${id}:${checksum(payload).slice(0, 32)}`,
});
const failed = (id: string) => orders.failed('API_REFUSED', { order_id: orderId(id) });
const exhausted = (id: string) => orders.failed('RETRIES_EXHAUSTED', { order_id: orderId(id) });
const notified = (id: string) => orders.notified({ order_id: orderId(id) });

const books = (
  acknowledged: readonly string[],
  table: readonly Order[],
  journal: readonly JournalEntry[],
  { deadLetters = [] as readonly string[], messagesLeft = 0, stale = new Set<string>() } = {},
) => balance({ acknowledged: new Set(acknowledged), orders: table, journal, stale, deadLetters, messagesLeft });

const nothing = { processed: 0, failed: 0, in_dlq: 0, lost: 0, stale: 0, doubled: 0, unannounced: 0, messages_left: 0 };

test('balances when every order that was acknowledged is processed once, or failed for good', () => {
  const duplicate: JournalEntry = { ...taken('A'), outcome: 'duplicate' };
  expect(books(['A', 'B'], [processed('A'), failed('B')], [taken('A'), duplicate])).toEqual({
    ...nothing,
    acknowledged: 2,
    processed: 1,
    failed: 1,
    balanced: true,
  });
});

test('balances when a round that was overtaken was taken once more', () => {
  const journal = [taken('A', 'A', round(1)), taken('A', 'A', round(2)), taken('A', 'again', round(2))];
  expect(books(['A'], [processed('A', round(2))], journal)).toMatchObject({ doubled: 0, balanced: true });
});

test('balances when each round of an order was taken once', () => {
  const ledger = books(['A'], [processed('A', round(2))], [taken('A', 'other', round(1)), taken('A', 'A', round(2))]);
  expect(ledger).toEqual({ ...nothing, acknowledged: 1, processed: 1, balanced: true });
});

test.each([
  ['an order that is nowhere', books(['A'], [], []), { lost: 1 }],
  ['an order that is nowhere on its way', books(['A'], [notified('A')], []), { lost: 1 }],
  ['an order processed, as we say, that the internal API never got', books(['A'], [processed('A')], []), { lost: 1 }],
  [
    'an order processed, of which the internal API got something else',
    books(['A'], [processed('A')], [taken('A', 'other', round(1))]),
    { lost: 1 },
  ],
  [
    'an order taken twice in one round',
    books(['A'], [processed('A')], [taken('A'), taken('A', 'other')]),
    { processed: 1, doubled: 1 },
  ],
  [
    'an order of which the internal API has an older state',
    books(['A'], [processed('A')], [taken('A')], { stale: new Set(['A']) }),
    { processed: 1, stale: 1 },
  ],
  ['a dead letter that was not given back', books(['A'], [notified('A')], [], { deadLetters: ['A'] }), { in_dlq: 1 }],
  ['a dead letter whose order says so', books(['A'], [exhausted('A')], [], { deadLetters: ['A'] }), { in_dlq: 1 }],
  ['an order that used up its receives, and no dead letter', books(['A'], [exhausted('A')], []), { lost: 1 }],
  ['an order without a webhook', books([], [processed('A')], []), { unannounced: 1 }],
  ['an order at the internal API without a webhook', books([], [], [taken('A')]), { unannounced: 1 }],
  ['a storm that was cut off', books([], [], [], { messagesLeft: 1 }), { messages_left: 1 }],
])('does not balance with %s', (_, ledger, counts) => {
  expect(ledger).toMatchObject({ ...nothing, ...counts, balanced: false });
});

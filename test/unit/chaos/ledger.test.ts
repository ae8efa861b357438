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

const ledgerOf = (
  acknowledged: readonly string[],
  table: readonly Order[],
  journal: readonly JournalEntry[],
  { deadLetters = [] as readonly string[], messagesLeft = 0, stale = new Set<string>() } = {},
) => balance({ acknowledged: new Set(acknowledged), orders: table, journal, stale, deadLetters, messagesLeft });

const nothing = { processed: 0, failed: 0, in_dlq: 0, lost: 0, stale: 0, doubled: 0, unannounced: 0, messages_left: 0 };

test('balances if every acknowledged order is processed once or has failed permanently', () => {
  const duplicate: JournalEntry = { ...taken('A'), outcome: 'duplicate' };
  expect(ledgerOf(['A', 'B'], [processed('A'), failed('B')], [taken('A'), duplicate])).toEqual({
    ...nothing,
    acknowledged: 2,
    processed: 1,
    failed: 1,
    balanced: true,
  });
});

test('balances if an order was posted once more after an older round had overtaken the newest', () => {
  const journal = [taken('A', 'A', round(1)), taken('A', 'A', round(2)), taken('A', 'again', round(2))];
  expect(ledgerOf(['A'], [processed('A', round(2))], journal)).toMatchObject({ doubled: 0, balanced: true });
});

test('balances if each round of an order was posted once', () => {
  const ledger = ledgerOf(
    ['A'],
    [processed('A', round(2))],
    [taken('A', 'other', round(1)), taken('A', 'A', round(2))],
  );
  expect(ledger).toEqual({ ...nothing, acknowledged: 1, processed: 1, balanced: true });
});

test.each([
  ['an order without an item', ledgerOf(['A'], [], []), { lost: 1 }],
  ['an order in flight without a message', ledgerOf(['A'], [notified('A')], []), { lost: 1 }],
  ['a PROCESSED order that the internal API never received', ledgerOf(['A'], [processed('A')], []), { lost: 1 }],
  [
    'a PROCESSED order of which the internal API received another body',
    ledgerOf(['A'], [processed('A')], [taken('A', 'other', round(1))]),
    { lost: 1 },
  ],
  [
    'an order posted twice in one round',
    ledgerOf(['A'], [processed('A')], [taken('A'), taken('A', 'other')]),
    { processed: 1, doubled: 1 },
  ],
  [
    'an order of which the internal API has an older state',
    ledgerOf(['A'], [processed('A')], [taken('A')], { stale: new Set(['A']) }),
    { processed: 1, stale: 1 },
  ],
  ['a dead letter of an order in flight', ledgerOf(['A'], [notified('A')], [], { deadLetters: ['A'] }), { in_dlq: 1 }],
  ['a dead letter of a FAILED order', ledgerOf(['A'], [exhausted('A')], [], { deadLetters: ['A'] }), { in_dlq: 1 }],
  [
    'an order that is FAILED with RETRIES_EXHAUSTED, without a dead letter',
    ledgerOf(['A'], [exhausted('A')], []),
    { lost: 1 },
  ],
  ['an order without a webhook', ledgerOf([], [processed('A')], []), { unannounced: 1 }],
  ['an order at the internal API without a webhook', ledgerOf([], [], [taken('A')]), { unannounced: 1 }],
  ['a storm that ended with messages left', ledgerOf([], [], [], { messagesLeft: 1 }), { messages_left: 1 }],
])('does not balance with %s', (_, ledger, counts) => {
  expect(ledger).toMatchObject({ ...nothing, ...counts, balanced: false });
});

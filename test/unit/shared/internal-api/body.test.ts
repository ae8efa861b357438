import fc from 'fast-check';
import { bodyHashOf, changedFields, fieldDigestsOf } from '../../../../shared/internal-api/body';
import { idempotencyKeyOf } from '../../../../shared/internal-api/idempotency-key';
import type { InternalOrder } from '../../../../shared/internal-api/order';
import { checksum, orderId, round } from '../../../support/orders';

const order: InternalOrder = {
  externalOrderId: '9007199254740993',
  qualiaOrderId: 'bK8b',
  source: 'QUALIA_MARKETPLACE',
  productCategory: 'TITLE',
  properties: [{ address: { city: 'Fresno', state: 'CA' } }],
  agency: { agencyName: 'A', contact: { name: 'N', phone: 'P' } },
  price: 914,
  notes: '',
};

test('the hash depends on the content, not on the order of the fields', () => {
  const { agency, ...rest } = order;
  const shuffled = { agency: { contact: { phone: 'P', name: 'N' }, agencyName: 'A' }, ...rest };
  expect(bodyHashOf(shuffled)).toBe(bodyHashOf(order));
  expect(bodyHashOf({ ...order, price: 999 })).not.toBe(bodyHashOf(order));
  expect(bodyHashOf(order)).toMatch(/^[0-9a-f]{64}$/);
});

test('the hash depends on the order of a list', () => {
  const borrowers = [{ fullName: 'Ada' }, { fullName: 'Bob' }];
  expect(bodyHashOf({ ...order, borrowers })).not.toBe(bodyHashOf({ ...order, borrowers: borrowers.toReversed() }));
});

describe('changed fields', () => {
  const digests = fieldDigestsOf(order);

  test('are empty if the order is the same', () => expect(changedFields(digests, order)).toEqual([]));

  test('include every field that was changed, added or removed', () => {
    const { price, ...withoutPrice } = order;
    expect(changedFields(digests, { ...withoutPrice, dueDate: '2026-01-05', notes: '' })).toEqual(['price', 'dueDate']);
    expect(changedFields(digests, { ...order, agency: { agencyName: 'A' } })).toEqual(['agency']);
  });

  test('of an item from an older release include the fields that it has no digest for, if they are present now', () => {
    const older = digests.slice(0, -3);
    expect(changedFields(older, order)).toEqual(['notes']);
  });

  test('need few bytes in the item', () => expect(digests).toHaveLength(60));
});

test('each combination of round, body and repost has its own key', () => {
  const effect = fc.record({
    orderId: fc.constant(orderId()),
    round: fc.constantFrom(round(1), round(2)),
    bodyHash: fc.constantFrom(checksum('a'), checksum('b')),
    repost: fc.constantFrom(undefined, 'x', 'y'),
  });
  fc.assert(
    fc.property(effect, effect, (a, b) => {
      const isSame = JSON.stringify(a) === JSON.stringify(b);
      return (idempotencyKeyOf(a) === idempotencyKeyOf(b)) === isSame;
    }),
  );
  expect(idempotencyKeyOf({ orderId: orderId(), round: round(), bodyHash: checksum(), repost: undefined })).toMatch(
    /^QO-123456:[0-9a-f]{32}$/,
  );
});

import fc from 'fast-check';
import { mapOrder } from '../../../../shared/internal-api/mapping';
import { type QualiaOrder, readOrder } from '../../../../shared/qualia/order';

/** Reads an order from its JSON in a response. */
const orderFromJson = (order: string): QualiaOrder => {
  const read = readOrder(Buffer.from(`{"data":{"order":{"order":${order}}}}`));
  if (read === undefined) throw new Error('The response contains no order.');
  return read;
};

test('a number in a text field keeps its digits, and prices and dates are read as numbers', () => {
  const order = orderFromJson(`{"_id":"id","order_number":9007199254740993,"price":12.50,"loan_amount":9007199254740993,
    "due_date":1.770091506E9,"customer_name":123456789012345678901234,"vertical":12.50,
    "properties":[{"state":"MA","zipcode":2134,"address_1":9007199254740993}],"borrowers":[{"full_name":1e3}]}`);
  expect(mapOrder(order)).toMatchObject({
    order: {
      externalOrderId: '9007199254740993',
      productCategory: '12.50',
      agency: { agencyName: '123456789012345678901234' },
      properties: [{ address: { zip: '02134', addressLine1: '9007199254740993' } }],
      borrowers: [{ fullName: '1e3' }],
      price: 12.5,
      loanAmount: 9_007_199_254_740_992,
      dueDate: '2026-02-03T04:05:06.000Z',
    },
    warnings: [],
  });
});

test('different order numbers get different externalOrderIds', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 14, maxLength: 30 });
  fc.assert(
    fc.property(digits, fc.nat(9), fc.nat(9), (head, first, second) => {
      const ids = [first, second].map((last) => {
        const order = orderFromJson(`{"_id":"id","order_number":1${head}${last}}`);
        const mapping = mapOrder(order);
        return mapping.kind === 'mapped' ? mapping.order.externalOrderId : undefined;
      });
      expect(ids).toEqual([`1${head}${first}`, `1${head}${second}`]);
    }),
  );
});

test.each([
  [2134, '02134'],
  ['2134', '02134'],
  [' 2134 ', '02134'],
  ['2134.0', '02134'],
  [601, '00601'],
  ['2134-1234', '02134-1234'],
  ['02134', '02134'],
  ['93650-1234', '93650-1234'],
  ['12', '12'],
  ['936501234', '936501234'],
  ['unknown', 'unknown'],
])('the zip code %j becomes %s', (zipcode, zip) => {
  const order = orderFromJson(
    `{"_id":"id","order_number":"1","properties":[{"state":"MA","zipcode":${JSON.stringify(zipcode)}}]}`,
  );
  expect(mapOrder(order)).toMatchObject({ order: { properties: [{ address: { zip } }] } });
});

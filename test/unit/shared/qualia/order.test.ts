import { qualiaOrderSchema, readOrder } from '../../../../shared/qualia/order';
import { qualiaOrder, qualiaResponse } from '../../../support/qualia-orders';

const accepts = (fields: Readonly<Record<string, unknown>>): boolean =>
  qualiaOrderSchema.safeParse(qualiaOrder(fields)).success;

test('drops unknown fields', () => {
  expect(qualiaOrderSchema.parse(qualiaOrder({ ssn: '1' }))).not.toHaveProperty('ssn');
});

test.each(['_id', 'order_number'])('requires %s', (field) => {
  for (const value of [null, undefined, '', {}]) expect(accepts({ [field]: value })).toBe(false);
});

test.each(Object.keys(qualiaOrder()).filter((field) => !['_id', 'order_number'].includes(field)))(
  '%s can be null or missing',
  (field) => {
    expect(accepts({ [field]: null })).toBe(true);
    expect(accepts({ [field]: undefined })).toBe(true);
  },
);

test.each(['price', 'purchase_price_amount', 'loan_amount', 'due_date', 'projected_close_date'])(
  '%s can be any value, because the mapping validates it',
  (field) => {
    for (const value of ['x', 1, true, {}, []]) expect(accepts({ [field]: value })).toBe(true);
  },
);

test.each(['status', 'vertical', 'product_name', 'customer_name'])(
  '%s can be a number, which is read as text',
  (field) => {
    expect(qualiaOrderSchema.parse(qualiaOrder({ [field]: 7 }))).toHaveProperty(field, '7');
  },
);

test.each(['borrowers', 'sellers', 'properties'])('%s is a list that can be empty', (field) => {
  expect(accepts({ [field]: [] })).toBe(true);
  expect(accepts({ [field]: 'x' })).toBe(false);
});

test.each([9_007_199_254_740_992, 1e21, 0.1 + 0.2, Number.NaN])(
  'order_number %p is rejected, because a double does not preserve its digits',
  (order_number) => {
    expect(accepts({ order_number })).toBe(false);
  },
);

test('reads an order from the bytes of a response', () => {
  expect(readOrder(Buffer.from(qualiaResponse()))).toEqual(qualiaOrderSchema.parse(qualiaOrder()));
  for (const invalid of ['', '{}', '{"data":{"order":null}}', qualiaResponse({ _id: 'id' })]) {
    expect(readOrder(Buffer.from(invalid))).toBeUndefined();
  }
});

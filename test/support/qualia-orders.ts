import type { OrderId } from '../../shared/orders/order';

/** The `_id` of {@link qualiaOrder}. */
export const qualiaOrderId = 'bK8bg5tajNkDpDk25' as OrderId;

const completeOrder = {
  _id: qualiaOrderId,
  order_number: 'QO-123456',
  status: 'Revision Required',
  vertical: 'Title',
  product_name: 'Full Title Search',
  product_type: 'title_search',
  purpose: 'Refinance',
  transaction_type: 'Residential',
  customer_name: 'Northwind Title',
  customer_contact: { name: 'Ada Byron', phone: '+1 555 0100', email: 'ada@northwind.example' },
  price: 125.5,
  purchase_price_amount: '450000',
  loan_amount: 300000,
  due_date: '2026-02-03',
  projected_close_date: '2026-02-20T15:00:00-05:00',
  borrowers: [{ full_name: 'Grace M Hopper', first_name: 'Grace', middle_name: 'M', last_name: 'Hopper' }],
  sellers: [{ full_name: 'Alan Turing', first_name: 'Alan', middle_name: null, last_name: 'Turing' }],
  properties: [
    { address_1: '1 Main St', address_2: 'Unit 2', city: 'Fresno', county: 'Fresno', state: 'CA', zipcode: '93650' },
  ],
};

/** A Qualia order with all fields. `fields` replaces some, and removes those that are undefined. */
export const qualiaOrder = (fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...completeOrder, ...fields }).filter(([, value]) => value !== undefined));

/** Qualia's response with an order, as JSON text. */
export const qualiaResponse = (order: unknown = qualiaOrder()): string =>
  JSON.stringify({ data: { order: { order, outstanding_tasks: [] } } });

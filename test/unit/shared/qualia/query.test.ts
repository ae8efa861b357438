import { parse, type SelectionSetNode, visit } from 'graphql';
import { openOrdersQuery, orderQuery } from '../../../../shared/qualia/query';

/** Every path that a query requests, such as `order.order.price`. */
const pathsOf = (query: string): string[] => {
  const walk = (set: SelectionSetNode | undefined, prefix: string): string[] =>
    (set?.selections ?? []).flatMap((selection) => {
      if (selection.kind !== 'Field') return [];
      const path = prefix + selection.name.value;
      return [path, ...walk(selection.selectionSet, `${path}.`)];
    });
  const paths: string[] = [];
  visit(parse(query), { OperationDefinition: ({ selectionSet }) => void paths.push(...walk(selectionSet, '')) });
  return paths;
};

const paths = pathsOf(orderQuery);

test('requests one order by its id', () => {
  expect(orderQuery).toContain('$id: ID!');
  expect(orderQuery).toContain('order(_id: $id)');
  expect(paths).toContain('order.outstanding_tasks');
});

test.each([
  ...['_id', 'order_number', 'status', 'vertical', 'product_name', 'product_type', 'purpose', 'transaction_type'],
  ...['customer_name', 'price', 'purchase_price_amount', 'loan_amount', 'due_date', 'projected_close_date'],
  ...['name', 'phone', 'email'].map((field) => `customer_contact.${field}`),
  ...['borrowers', 'sellers'].flatMap((party) =>
    ['full_name', 'first_name', 'middle_name', 'last_name'].map((field) => `${party}.${field}`),
  ),
  ...['address_1', 'address_2', 'city', 'state', 'zipcode', 'county', 'flat_address'].map(
    (field) => `properties.${field}`,
  ),
  ...['open', 'pending', 'accepted', 'declined', 'cancelled', 'submitted', 'revision_required', 'completed'],
  ...['resubmitted', 'resubmission_accepted', 'created_date', 'closed_date', 'cancellation_reason'],
  'revision_required_reason',
])('requests %s', (field) => {
  expect(paths.some((path) => path === `order.order.${field}` || path === `order.order.status_details.${field}`)).toBe(
    true,
  );
});

const statusPaths = paths.filter((path) => path.startsWith('order.order.status'));

test('the list of open orders requests the same status fields as an order, or only the ids', () => {
  const listed = (withStatus: boolean) =>
    pathsOf(openOrdersQuery(withStatus)).filter((path) => path.split('.').length > 2);
  expect(listed(false)).toEqual(['orders.orders._id']);
  expect(listed(true)).toEqual([
    'orders.orders._id',
    ...statusPaths.map((path) => path.replace(/^order\.order/, 'orders.orders')),
  ]);
});

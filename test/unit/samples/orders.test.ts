import { specialOrders } from '../../../local/sample/special-orders';
import jurisdictions from '../../../samples/jurisdictions.json';
import { sampleOrder, sampleOrders } from '../../../samples/orders';
import states from '../../vectors/states.json';

const orders = sampleOrders(400);
const text = JSON.stringify(orders);

/** All values of a field, at any depth, in all orders. */
const valuesOf = (field: string, parent: unknown): unknown[] => {
  if (typeof parent !== 'object' || parent === null) return [];
  return Object.entries(parent).flatMap(([name, value]) => (name === field ? [value] : valuesOf(field, value)));
};

test("the jurisdictions are those of the contract's vectors", () => {
  expect(jurisdictions).toEqual(states);
});

test('an order is always the same, and no two orders have the same id or number', () => {
  expect(sampleOrder(17)).toEqual(orders[17]);
  const many = sampleOrders(20_000);
  expect(new Set(many.map(({ _id }) => _id)).size).toBe(20_000);
  expect(new Set(many.map(({ order_number }) => order_number)).size).toBe(20_000);
});

test('IDs have both formats', () => {
  for (const [index, { _id }] of orders.entries()) {
    expect(_id).toMatch(index % 2 === 0 ? /^QO-\d{6}$/ : /^[2-9A-HJ-NP-TW-Za-km-z]{17}$/);
  }
});

test('108 orders have all 54 jurisdictions', () => {
  const found = new Set(
    valuesOf('flat_address', orders.slice(0, 108)).map((address) => /, ([A-Z]{2}) \d{5}$/.exec(String(address))?.[1]),
  );
  expect(found).toEqual(new Set(Object.keys(states)));
});

test.each([
  ['vertical', ['Title', 'Notary', 'Survey', 'ReleaseTracking', 'Other', null]],
  ['status', ['Revision Required', 'revision_required', 'COMPLETED', 'REVISION REQUIRED', 'oPeN', null]],
])('%s occurs in every spelling', (field, samples) => {
  expect(valuesOf(field, orders)).toEqual(expect.arrayContaining(samples));
});

test('states occur in every spelling', () => {
  const written = new Set(valuesOf('state', sampleOrders(2_000)));
  for (const sample of ['CA', 'Texas', 'fl', ' NEW  YORK ', 'D.C.', 'Virgin Islands', 'PR', '', null]) {
    expect(written).toContain(sample);
  }
});

test('dates and numbers occur in every format', () => {
  const dates = valuesOf('due_date', orders);
  const form = (value: unknown) =>
    typeof value === 'number' ? (value >= 1e11 ? 'epoch ms' : 'epoch s') : String(value).replaceAll(/\d/g, '9');
  expect(new Set(dates.map(form))).toEqual(
    new Set(['9999-99-99', '9999-99-99T99:99:99-99:99', 'epoch s', 'epoch ms', 'null']),
  );
  expect(new Set(valuesOf('price', orders).map((price) => typeof price))).toEqual(
    new Set(['number', 'string', 'object']),
  );
});

test('properties, borrowers and sellers are absent, empty, null, one or several', () => {
  const shape = (list: unknown) => (Array.isArray(list) ? Math.min(list.length, 2) : String(list));
  expect(new Set(orders.map(({ properties }) => shape(properties)))).toEqual(new Set(['undefined', 'null', 0, 1, 2]));
  expect(new Set(orders.map(({ sellers }) => shape(sellers)))).toEqual(new Set(['null', 0, 1, 2]));
  expect(orders.flatMap(({ borrowers }) => borrowers ?? [])).toContain(null);
});

test('every field except the required ones is null in some order', () => {
  const nullable = Object.keys(sampleOrder(0)).filter(
    (name) => !['_id', 'order_number', 'outstanding_tasks'].includes(name),
  );
  for (const field of nullable) expect(orders.some((order) => order[field] === null) ? '' : field).toBe('');
});

test('an order is about 5 kB of JSON', () => {
  const sizes = orders.map((order) => JSON.stringify(order).length).sort((a, b) => a - b);
  expect(sizes[200]).toBeGreaterThan(4_500);
  expect(sizes[200]).toBeLessThan(5_500);
});

test('people are recognizably fictional', () => {
  for (const email of text.matchAll(/[^"\s]+@[^"]+/g)) expect(email[0]).toMatch(/^[a-z.-]+@example\.com$/);
  for (const phone of text.matchAll(/\(\d{3}\) [\d-]+/g)) expect(phone[0]).toMatch(/^\(\d{3}\) 555-01\d\d$/);
});

test('the special orders have IDs that a notification accepts', () => {
  const { orders: special, unknownId } = specialOrders;
  for (const id of [...special.map(({ _id }) => _id), unknownId]) expect(id).toMatch(/^QO-[A-Z-]+$/);
  expect(special.map(({ _id }) => _id)).not.toContain(unknownId);
  expect(
    specialOrders.faults.every(({ match, times }) => match?.order_id === specialOrders.flakyId && times === 1),
  ).toBe(true);
});

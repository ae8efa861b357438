import { sampleOrder } from '../../samples/orders';

/** How the bytes of an order are made up. Each costs memory in another way. */
export type OrderKind = 'people' | 'text' | 'wide_text' | 'decimals' | 'nested';

/** Of each list, as many as the schema accepts. */
const maxEntries = 9_000;

const person = (index: number) => ({
  full_name: `Katherine ${index} Johnson-Goble`,
  first_name: `Katherine ${index}`,
  middle_name: index % 2 === 0 ? 'Coleman' : null,
  last_name: `Johnson-Goble ${index}`,
});

const place = (index: number) => ({
  address_1: `${index} North Main Street`,
  address_2: `Unit ${index}`,
  city: 'Fresno',
  county: 'Fresno',
  state: 'CA',
  zipcode: '93650',
});

const listOf = <T>(entry: (index: number) => T, bytes: number): readonly T[] => {
  const length = Math.min(maxEntries, Math.ceil(bytes / JSON.stringify(entry(maxEntries / 2)).length));
  return Array.from({ length }, (_, index) => entry(index));
};

const fields: Readonly<Record<OrderKind, (bytes: number) => Readonly<Record<string, unknown>>>> = {
  people: (bytes) => ({
    borrowers: listOf(person, bytes / 3),
    sellers: listOf(person, bytes / 3),
    properties: listOf(place, bytes / 3),
  }),
  text: (bytes) => ({ product_name: 'A title search. '.repeat(bytes / 16) }),
  // One character beyond Latin-1 doubles the memory of a whole string.
  wide_text: (bytes) => ({ product_name: `${'A title search. '.repeat(bytes / 16)}\u{1f3e0}` }),
  decimals: (bytes) => ({ price: Array.from({ length: bytes / 5 }, () => 'decimal') }),
  nested: (bytes) => ({ loan_amount: Array.from({ length: bytes / 3 }, () => ({})) }),
};

/** Qualia's response with an order of about `bytes`. */
export const largeResponse = (kind: OrderKind, index: number, bytes: number): string => {
  const order = { ...sampleOrder(index), ...fields[kind](bytes) };
  // JSON.stringify would write 1 for 1.00.
  return JSON.stringify({ data: { order: { order, outstanding_tasks: [] } } }).replaceAll('"decimal"', '1.00');
};

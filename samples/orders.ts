import states from './jurisdictions.json';
import { createRandom, type Random } from './random';
import * as words from './wording';

/** An order at Qualia. Only these two fields are always present. `outstanding_tasks` is served next to the order. */
export interface QualiaOrder {
  readonly _id: string;
  readonly order_number: string;
  [field: string]: unknown;
}

const dayMs = 86_400_000;
const firstOrderMs = Date.UTC(2026, 0, 5, 14, 30);
const orderEveryMs = 7 * 60_000;

/** Qualia's IDs leave out letters and digits that look alike. */
const idAlphabet = [...'23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz'] as [string, ...string[]];

const jurisdictions = Object.entries(states);

/** The four formats in which Qualia writes an instant. */
const dateForms: ((ms: number) => string | number)[] = [
  (ms) => new Date(ms).toISOString().slice(0, 10),
  (ms) => `${new Date(ms - 5 * 3_600_000).toISOString().slice(0, 19)}-05:00`,
  (ms) => Math.floor(ms / 1000),
  (ms) => ms,
];

/** Other names of some jurisdictions. */
const stateAliases: Record<string, string[]> = {
  DC: ['D.C.', 'Washington DC', 'Washington, D.C.'],
  VI: ['Virgin Islands', 'US Virgin Islands'],
};

/** How people write a state: the code or the name, in any case, with stray spaces. */
const stateForms: ((code: string, name: string) => string)[] = [
  (code) => code,
  (_code, name) => name,
  (code) => code,
  (code) => code.toLowerCase(),
  (code) => code,
  (_code, name) => ` ${name.toUpperCase().replaceAll(' ', '  ')} `,
];

/** The five spellings in which Qualia writes a status. */
const statusForms: ((flag: string) => string)[] = [
  (flag) => titleCase(flag),
  (flag) => flag,
  (flag) => flag.toUpperCase(),
  (flag) => titleCase(flag).toUpperCase(),
  (flag) => [...flag].map((letter, at) => (at % 2 === 0 ? letter : letter.toUpperCase())).join(''),
];

const titleCase = (flag: string) =>
  flag.replace(/(^|_)([a-z])/g, (_all, gap, letter) => (gap ? ' ' : '') + letter.toUpperCase());

/** The item at `index`, modulo the number of items. */
const turn = <T>(items: readonly T[], index: number): T => items[index % items.length] as T;

/**
 * A realistic order of Qualia's, always the same for the same index, about 5 kB of JSON.
 *
 * Even indexes have IDs that a notification accepts (`QO-…`), odd ones have IDs in Qualia's format. Any 108 consecutive
 * orders have all 54 jurisdictions, each vertical, each format of a date, a state and a status, absent, empty and several
 * properties, and nulls. All of them can be mapped.
 *
 * @param index a whole number from 0
 */
export const sampleOrder = (index: number): QualiaOrder => {
  const random = createRandom(index + 1);
  const createdMs = firstOrderMs + index * orderEveryMs;
  const dateForm = (field: number) => turn(dateForms, (index >> 1) + field);
  const date = (field: number, days: number) => dateForm(field)(createdMs + days * dayMs);
  const amount = (field: number, value: number) => ((index + field) % 3 === 0 ? `${value}.00` : value);
  const { vertical, products } = turn(words.verticals, index);
  const [productType, productName] = random.pick(products);
  const status = turn(words.statuses, index);
  const priceUsd = random.integer(75, 1_900);
  const purchaseUsd = random.integer(90, 1_400) * 1_000;
  const customer = random.pick(words.agencies);

  const optional = {
    status: turn(statusForms, index >> 1)(status.flag),
    status_details: statusDetails(status.flag, date(0, 0), status.open ? null : date(1, 9)),
    vertical,
    product_name: productName,
    product_type: productType,
    product_description: words.productDescription,
    purpose: random.pick(words.purposes),
    transaction_type: random.pick(words.transactionTypes),
    customer_name: customer,
    customer_id: `cust_${random.integer(1_000, 9_999)}`,
    customer_order_number: `${random.integer(20_000, 99_999)}-${index % 90}`,
    customer_contact: contact(random),
    price: amount(0, priceUsd),
    quoted_price: amount(1, priceUsd),
    purchase_price_amount: amount(2, purchaseUsd),
    loan_amount: amount(3, purchaseUsd * 0.8),
    loan_type: random.pick(words.loanTypes),
    cash_only: random.chance(0.1),
    due_date: date(0, 5),
    projected_close_date: date(1, 30),
    disbursement_date: date(2, 33),
    lender_name: random.pick(words.lenders),
    underwriter: random.pick(words.underwriters),
    borrowers: people(random, random.integer(1, 4)),
    sellers: people(random, random.integer(0, 3)),
    properties: properties(index, random),
  };
  const isEmpty = index % 101 === 100;
  for (const field of Object.keys(optional)) {
    if (isEmpty || (field !== 'properties' && random.chance(0.03))) Object.assign(optional, { [field]: null });
  }

  return {
    _id: orderId(index, random),
    order_number: `MKT-${2_026_000_000 + index}`,
    ...optional,
    outstanding_tasks: words.outstandingTasks.slice(0, index % 5),
  };
};

/** The sample orders 0 to `count - 1`. */
export const sampleOrders = (count: number): QualiaOrder[] =>
  Array.from({ length: count }, (_, index) => sampleOrder(index));

const orderId = (index: number, random: Random) =>
  index % 2 === 0
    ? `QO-${String(100_000 + index)}`
    : Array.from({ length: 17 }, () => random.pick(idAlphabet)).join('');

const statusDetails = (flag: string, createdDate: unknown, closedDate: unknown) => ({
  ...Object.fromEntries(words.statuses.map((status) => [status.flag, status.flag === flag])),
  // Independent of the status: an accepted or submitted order is open as well.
  open: closedDate === null,
  declined: false,
  resubmitted: false,
  resubmission_accepted: null,
  created_date: createdDate,
  closed_date: closedDate,
  cancellation_reason: flag === 'cancelled' ? 'Transaction fell through' : null,
  revision_required_reason: flag === 'revision_required' ? 'Legal description is incomplete' : null,
});

const contact = (random: Random) => {
  const first = random.pick(words.firstNames);
  const last = random.pick(words.lastNames);
  return {
    name: `${first} ${last}`,
    phone: random.chance(0.1) ? null : `(${random.integer(201, 989)}) 555-01${random.integer(10, 99)}`,
    email: random.chance(0.1) ? null : `${first}.${last}@example.com`.toLowerCase().replaceAll(/[^a-z.@-]/g, ''),
  };
};

const people = (random: Random, count: number) =>
  Array.from({ length: count }, () => {
    if (random.chance(0.01)) return null;
    const first = random.pick(words.firstNames);
    const middle = random.chance(0.5) ? random.pick(words.middleNames) : null;
    const last = random.pick(words.lastNames);
    const whole = { full_name: [first, middle, last].filter(Boolean).join(' ') };
    // Companies, and people with an undivided name.
    if (random.chance(0.1)) return { ...whole, first_name: null, middle_name: null, last_name: null };
    return { ...whole, first_name: first, middle_name: middle, last_name: last };
  });

/** Absent, null and empty are rarer than 1 in 10, and affect other jurisdictions in each cycle. */
const properties = (index: number, random: Random) => {
  if (index % 20 === 8) return undefined;
  if (index % 20 === 13) return [];
  if (index % 100 === 23) return null;
  return Array.from({ length: 1 + Math.floor((index % 12) / 10) + Math.floor((index % 12) / 11) }, (_, at) =>
    property(index + at, random, at > 0 ? random.chance(0.2) : index % 24 === 22),
  );
};

const property = (index: number, random: Random, stateless: boolean) => {
  const [code, name] = turn(jurisdictions, index) as [string, string];
  const alias = random.pick([name, ...(stateAliases[code] ?? [])]);
  const address1 = `${random.integer(1, 9_899)} ${random.pick(words.streets)}`;
  const city = random.pick(words.cities);
  const zipcode = String(random.integer(501, 99_950)).padStart(5, '0');
  return {
    address_1: address1,
    address_2: random.chance(0.3) ? `Unit ${random.integer(1, 48)}` : random.pick([null, '']),
    city,
    state: stateless
      ? random.pick([null, ''])
      : turn(stateForms, index + Math.floor(index / jurisdictions.length))(code, alias),
    zipcode,
    county: random.chance(0.1) ? null : random.pick(words.counties),
    flat_address: `${address1}, ${city}, ${code} ${zipcode}`,
  };
};

/** The order with an unknown state: it cannot be mapped. */
export const withUnknownState = (order: QualiaOrder): QualiaOrder => ({
  ...order,
  properties: [{ address_1: '1 Nowhere Road', city: 'Nowhere', state: 'ZZ', zipcode: '00000' }],
});

/** The order with unreadable numbers and dates: it is mapped without them, with warnings. */
export const withBadValues = (order: QualiaOrder): QualiaOrder => ({
  ...order,
  price: 'call for price',
  purchase_price_amount: 'N/A',
  loan_amount: { amount: 'unknown' },
  due_date: 'next Tuesday',
  projected_close_date: '2026-02-30',
});

import fc from 'fast-check';
import { mapOrder } from '../../../../shared/internal-api/mapping';
import { qualiaOrderSchema } from '../../../../shared/qualia/order';
import { qualiaOrder } from '../../../support/qualia-orders';
import states from '../../../vectors/states.json';

const map = (fields: Readonly<Record<string, unknown>> = {}) => mapOrder(qualiaOrderSchema.parse(qualiaOrder(fields)));

const mapped = (fields: Readonly<Record<string, unknown>> = {}) => {
  const mapping = map(fields);
  if (mapping.kind !== 'mapped') throw new Error(`state ${mapping.stateCode} is unknown`);
  return mapping;
};

const property = (fields: Readonly<Record<string, unknown>> = {}) => ({
  address_1: '1 Main St',
  city: 'Fresno',
  state: 'CA',
  ...fields,
});

test("keeps the first 50 warnings, because more would not fit in the order's item", () => {
  const { order, warnings } = mapped({ properties: Array(1_000).fill(property({ state: null })) });
  expect(order.properties).toHaveLength(1_000);
  expect(warnings).toHaveLength(50);
});

test('an order with a value in every field', () => {
  expect(map()).toEqual({
    kind: 'mapped',
    order: {
      externalOrderId: 'QO-123456',
      qualiaOrderId: 'bK8bg5tajNkDpDk25',
      source: 'QUALIA_MARKETPLACE',
      productCategory: 'TITLE',
      productType: 'title_search',
      productName: 'Full Title Search',
      purpose: 'Refinance',
      transactionType: 'Residential',
      orderStatus: 'REVISION_REQUIRED',
      state: { stateCode: 'CA', stateName: 'California' },
      properties: [
        {
          address: {
            addressLine1: '1 Main St',
            addressLine2: 'Unit 2',
            city: 'Fresno',
            county: 'Fresno',
            state: 'CA',
            zip: '93650',
          },
        },
      ],
      agency: {
        agencyName: 'Northwind Title',
        contact: { name: 'Ada Byron', phone: '+1 555 0100', email: 'ada@northwind.example' },
      },
      borrowers: [{ fullName: 'Grace M Hopper', firstName: 'Grace', middleName: 'M', lastName: 'Hopper' }],
      sellers: [{ fullName: 'Alan Turing', firstName: 'Alan', lastName: 'Turing' }],
      price: 125.5,
      purchasePrice: 450_000,
      loanAmount: 300_000,
      dueDate: '2026-02-03',
      projectedCloseDate: '2026-02-20T20:00:00.000Z',
      notes: '',
    },
    warnings: [],
  });
});

test.each([
  ['null', null],
  ['missing', undefined],
])('an order in which every field except its id and number is %s', (_, value) => {
  const nothing = Object.fromEntries(Object.keys(qualiaOrder()).map((field) => [field, value]));
  expect(map({ ...nothing, _id: 'id', order_number: 'number' })).toEqual({
    kind: 'mapped',
    order: {
      externalOrderId: 'number',
      qualiaOrderId: 'id',
      source: 'QUALIA_MARKETPLACE',
      productCategory: '',
      properties: [],
      agency: { agencyName: '' },
      notes: '',
    },
    warnings: [],
  });
});

describe('one field', () => {
  test.each<[string, unknown, string, unknown]>([
    ['order_number', 'A-1', 'externalOrderId', 'A-1'],
    ['order_number', 4711, 'externalOrderId', '4711'],
    ['_id', 'xyz', 'qualiaOrderId', 'xyz'],
    ['vertical', 'ReleaseTracking', 'productCategory', 'RELEASETRACKING'],
    ['vertical', 'Notary', 'productCategory', 'NOTARY'],
    ['vertical', '', 'productCategory', ''],
    ['product_type', 'x', 'productType', 'x'],
    ['product_type', 7, 'productType', '7'],
    ['product_name', 'Full Search', 'productName', 'Full Search'],
    ['purpose', 'Purchase', 'purpose', 'Purchase'],
    ['transaction_type', 'Commercial', 'transactionType', 'Commercial'],
    ['status', 'open', 'orderStatus', 'OPEN'],
    ['status', 'revision required', 'orderStatus', 'REVISION_REQUIRED'],
    ['status', ' Resubmission  Accepted ', 'orderStatus', 'RESUBMISSION_ACCEPTED'],
    ['status', 'COMPLETED', 'orderStatus', 'COMPLETED'],
    ['status', 'revision\u00a0required\u200b', 'orderStatus', 'REVISION_REQUIRED'],
    ['customer_name', 'Acme', 'agency', expect.objectContaining({ agencyName: 'Acme' })],
    ['customer_name', null, 'agency', expect.objectContaining({ agencyName: '' })],
    ['customer_contact', null, 'agency', { agencyName: 'Northwind Title' }],
    ['customer_contact', {}, 'agency', { agencyName: 'Northwind Title' }],
    ['customer_contact', { name: null, phone: null, email: null }, 'agency', { agencyName: 'Northwind Title' }],
    ['customer_contact', { name: '', phone: ' ', fax: 'x' }, 'agency', { agencyName: 'Northwind Title' }],
    [
      'customer_contact',
      { phone: 5550100, fax: 'x' },
      'agency',
      { agencyName: 'Northwind Title', contact: { phone: '5550100' } },
    ],
    ['price', '99.90', 'price', 99.9],
    ['price', 0, 'price', 0],
    ['purchase_price_amount', 1.5, 'purchasePrice', 1.5],
    ['loan_amount', '0', 'loanAmount', 0],
    ['due_date', '2026-02-03T00:00:00Z', 'dueDate', '2026-02-03T00:00:00.000Z'],
    ['projected_close_date', 1_770_091_506_000, 'projectedCloseDate', '2026-02-03T04:05:06.000Z'],
    ['projected_close_date', 1_770_091_506, 'projectedCloseDate', '2026-02-03T04:05:06.000Z'],
    ['due_date', '20260105', 'dueDate', '2026-01-05'],
    ['due_date', 20_260_105, 'dueDate', '2026-01-05'],
  ])('%s of %j becomes %s', (field, value, target, expected) => {
    const { order, warnings } = mapped({ [field]: value });
    expect(order).toHaveProperty(target, expected);
    expect(warnings).toEqual([]);
  });

  test.each([
    ['product_type', 'productType'],
    ['product_name', 'productName'],
    ['purpose', 'purpose'],
    ['transaction_type', 'transactionType'],
    ['status', 'orderStatus'],
    ['price', 'price'],
    ['purchase_price_amount', 'purchasePrice'],
    ['loan_amount', 'loanAmount'],
    ['due_date', 'dueDate'],
    ['projected_close_date', 'projectedCloseDate'],
    ['borrowers', 'borrowers'],
    ['sellers', 'sellers'],
    ['properties', 'state'],
  ])('%s that is null or missing leaves %s out, without a warning', (field, target) => {
    for (const value of [null, undefined]) {
      const { order, warnings } = mapped({ [field]: value });
      expect(order).not.toHaveProperty(target);
      expect(warnings).toEqual([]);
    }
  });

  test.each([
    ['price', 'price', 'BAD_NUMBER', 'a lot'],
    ['purchase_price_amount', 'purchasePrice', 'BAD_NUMBER', '$450,000'],
    ['loan_amount', 'loanAmount', 'BAD_NUMBER', { amount: 1 }],
    ['due_date', 'dueDate', 'BAD_DATE', 'soon'],
    ['projected_close_date', 'projectedCloseDate', 'BAD_DATE', '2026-02-30'],
    ['projected_close_date', 'projectedCloseDate', 'BAD_DATE', '46027'],
    ['projected_close_date', 'projectedCloseDate', 'BAD_DATE', 0],
  ])('%s that cannot be read leaves %s out, with the warning %s', (field, target, code, value) => {
    const { order, warnings } = mapped({ [field]: value });
    expect(order).not.toHaveProperty(target);
    expect(warnings).toEqual([{ code, field }]);
  });

  test('every warning is reported, not only the first', () => {
    const { warnings } = mapped({ price: 'x', loan_amount: '', due_date: 'y', properties: [property({ state: '' })] });
    expect(warnings.map(({ code, field }) => `${code} ${field}`).sort()).toEqual([
      'BAD_DATE due_date',
      'BAD_NUMBER loan_amount',
      'BAD_NUMBER price',
      'MISSING_STATE properties.0.state',
    ]);
  });
});

describe.each(['borrowers', 'sellers'] as const)('%s', (party) => {
  test('are left out when empty', () => {
    expect(mapped({ [party]: [] }).order).not.toHaveProperty(party);
  });

  test('are left out if nobody in them has a name', () => {
    const unnamed = [
      {},
      { full_name: null, last_name: null },
      { first_name: '', last_name: ' \u200b' },
      { suffix: 'x' },
    ];
    expect(mapped({ [party]: unnamed }).order).not.toHaveProperty(party);
    expect(mapped({ [party]: [...unnamed, { full_name: 'Acme LLC' }] }).order[party]).toEqual([
      { fullName: 'Acme LLC' },
    ]);
  });

  test('keep their order, without null fields', () => {
    const people = [
      { full_name: 'Grace Hopper', first_name: null, middle_name: null, last_name: 'Hopper' },
      { full_name: 'Acme LLC' },
      { first_name: 'Ada', middle_name: 'K', last_name: 'Byron', suffix: 'x' },
    ];
    expect(mapped({ [party]: people }).order[party]).toEqual([
      { fullName: 'Grace Hopper', lastName: 'Hopper' },
      { fullName: 'Acme LLC' },
      { firstName: 'Ada', middleName: 'K', lastName: 'Byron' },
    ]);
  });
});

describe('properties', () => {
  test('leave out empty and null fields', () => {
    const { order } = mapped({
      properties: [{ address_1: '', address_2: null, city: ' ', county: undefined, state: 'ca', zipcode: 93650 }],
    });
    expect(order.properties).toEqual([{ address: { state: 'CA', zip: '93650' } }]);
  });

  test.each(Object.entries(states))('%s is read as %s', (stateCode, stateName) => {
    for (const state of [stateCode, stateName.toLowerCase()]) {
      const { order, warnings } = mapped({ properties: [property({ state })] });
      expect(order.state).toEqual({ stateCode, stateName });
      expect(order.properties[0]?.address.state).toBe(stateCode);
      expect(warnings).toEqual([]);
    }
  });

  test.each([[''], ['  '], ['\u200b'], [null], [undefined]])(
    'whose state is %p are kept without a state, with a warning',
    (state) => {
      const { order, warnings } = mapped({ properties: [property({ state })] });
      expect(order).not.toHaveProperty('state');
      expect(order.properties).toEqual([{ address: { addressLine1: '1 Main St', city: 'Fresno' } }]);
      expect(warnings).toEqual([{ code: 'MISSING_STATE', field: 'properties.0.state' }]);
    },
  );

  test('determine the state of the order: that of the first property that has one', () => {
    const { order, warnings } = mapped({
      properties: [property({ state: '' }), property({ state: 'Texas' }), property({ state: 'NY' })],
    });
    expect(order.state).toEqual({ stateCode: 'TX', stateName: 'Texas' });
    expect(order.properties.map(({ address }) => address.state)).toEqual([undefined, 'TX', 'NY']);
    expect(warnings).toEqual([{ code: 'MISSING_STATE', field: 'properties.0.state' }]);
  });

  test.each([['XX'], ['Ontario'], ['American Samoa'], ['C'], ['constructor']])(
    'in the unknown state %p cannot be mapped',
    (state) => {
      expect(map({ properties: [property({ state })] })).toEqual({ kind: 'unknown_state', stateCode: state });
    },
  );

  test('cannot be mapped if only a later one has an unknown state', () => {
    const properties = [property(), property({ state: '' }), property({ state: 'Ontario' })];
    expect(map({ properties })).toEqual({ kind: 'unknown_state', stateCode: 'Ontario' });
  });
});

describe('any order that the schema accepts', () => {
  const text = fc.option(fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })), {
    nil: null,
  });
  const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
  const person = optional({ full_name: text, first_name: text, middle_name: text, last_name: text });
  const state = fc.oneof(text, fc.constantFrom(...Object.keys(states), ...Object.values(states), ''));
  const address = optional({ address_1: text, address_2: text, city: text, state, zipcode: text, county: text });
  const raw = fc.oneof(fc.jsonValue(), fc.constantFrom('2026-02-03', '2026-02-30', '12', 1_770_091_506, null));
  const list = <T>(item: fc.Arbitrary<T>) => fc.option(fc.array(item, { maxLength: 4 }), { nil: null });
  const anyOrder = fc
    .tuple(
      fc.record({ _id: fc.string({ minLength: 1 }), order_number: fc.oneof(fc.string({ minLength: 1 }), fc.nat()) }),
      optional({
        status: text,
        vertical: text,
        product_name: text,
        product_type: text,
        purpose: text,
        transaction_type: text,
        customer_name: text,
        price: raw,
        purchase_price_amount: raw,
        loan_amount: raw,
        due_date: raw,
        projected_close_date: raw,
        borrowers: list(person),
        sellers: list(person),
        customer_contact: fc.option(optional({ name: text, phone: text, email: text }), { nil: null }),
        properties: list(address),
      }),
    )
    .map(([ids, fields]) => ({ ...ids, ...fields }));

  const hasMissingValue = (value: unknown): boolean =>
    value === null ||
    value === undefined ||
    (typeof value === 'number' && !Number.isFinite(value)) ||
    (typeof value === 'object' && Object.values(value).some(hasMissingValue));

  test('property: mapping it does not throw, is deterministic and does not change its source', () => {
    fc.assert(
      fc.property(anyOrder, (source) => {
        const parsed = qualiaOrderSchema.parse(source);
        const before = structuredClone(parsed);
        const mapping = mapOrder(parsed);
        expect(mapOrder(parsed)).toEqual(mapping);
        expect(parsed).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test('property: gives a valid body: no null values, real dates, known states, a warning for each unreadable value', () => {
    fc.assert(
      fc.property(anyOrder, (source) => {
        const parsed = qualiaOrderSchema.parse(source);
        const mapping = mapOrder(parsed);
        if (mapping.kind === 'unknown_state') {
          expect(mapping.stateCode.trim()).not.toBe('');
          expect(Object.keys(states)).not.toContain(mapping.stateCode);
          return;
        }
        const { order, warnings } = mapping;
        expect(hasMissingValue(order)).toBe(false);
        expect(order.properties).toHaveLength(parsed.properties?.length ?? 0);
        expect(order.properties.find(({ address }) => address.state !== undefined)?.address.state).toBe(
          order.state?.stateCode,
        );
        for (const date of [order.dueDate, order.projectedCloseDate]) {
          if (date !== undefined) expect(Number.isNaN(Date.parse(date))).toBe(false);
        }
        const reported = warnings.map(({ field }) => field);
        const mappedValues = { price: order.price, loan_amount: order.loanAmount, due_date: order.dueDate } as const;
        for (const [field, value] of Object.entries(mappedValues)) {
          const given = parsed[field as keyof typeof mappedValues];
          const lost = given !== null && given !== undefined && value === undefined;
          expect([field, reported.includes(field)]).toEqual([field, lost]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

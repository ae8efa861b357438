import type { Warning } from '../orders/order';
import type { QualiaOrder, QualiaProperty } from '../qualia/order';
import { findJurisdiction, type Jurisdiction } from './jurisdictions';
import type { InternalAddress, InternalOrder, InternalPerson } from './order';
import { isBlank, type ReadResult, readDate, readNumber, visibleText } from './values';

/** An order ready to post, or the reason why it cannot be mapped safely. */
export type Mapping =
  | { readonly kind: 'mapped'; readonly order: InternalOrder; readonly warnings: readonly Warning[] }
  | { readonly kind: 'unknown_state'; readonly stateCode: string };

/** More than a person reads, and few enough for the order's item, which DynamoDB limits to 400 KB. */
const mostWarnings = 50;

/** Omits fields that are null or undefined. */
const known = <T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } => {
  const kept: { [K in keyof T]?: NonNullable<T[K]> } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined) kept[name] = value;
  }
  return kept;
};

const nonEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);
const filled = (text: string | null | undefined): string | undefined => (text && !isBlank(text) ? text : undefined);

const isEmpty = (texts: Readonly<Record<string, string | undefined>>): boolean =>
  Object.values(texts).every((text) => filled(text) === undefined);

const mapPeople = (people: QualiaOrder['borrowers']): readonly InternalPerson[] | undefined =>
  nonEmpty(
    (people ?? [])
      .map(({ full_name, first_name, middle_name, last_name }) =>
        known({ fullName: full_name, firstName: first_name, middleName: middle_name, lastName: last_name }),
      )
      .filter((person) => !isEmpty(person)),
  );

/** Restores leading zeros, which a zip code sent as a number has lost. Every property is in the United States. */
const readZip = (text: string | null | undefined): string | undefined => {
  const zip = filled(text)?.trim();
  const [, digits, extension = ''] = /^(\d{3,5})(-\d{4}|\.0+)?$/.exec(zip ?? '') ?? [];
  if (digits === undefined) return filled(text);
  return digits.padStart(5, '0') + (extension.startsWith('-') ? extension : '');
};

const mapAddress = (property: QualiaProperty, jurisdiction: Jurisdiction | undefined): InternalAddress =>
  known({
    addressLine1: filled(property.address_1),
    addressLine2: filled(property.address_2),
    city: filled(property.city),
    county: filled(property.county),
    state: jurisdiction?.stateCode,
    zip: readZip(property.zipcode),
  });

const mapAgency = ({ customer_name, customer_contact }: QualiaOrder): InternalOrder['agency'] => {
  const contact = known({ ...customer_contact });
  return { agencyName: customer_name ?? '', ...(!isEmpty(contact) && { contact }) };
};

/**
 * The anti-corruption layer: maps Qualia's order to the internal API's. Pure; returns a warning for each value that it
 * cannot map (docs/contracts/internal-api.md).
 */
export const mapOrder = (source: QualiaOrder): Mapping => {
  const warnings: Warning[] = [];
  const read = <T>(field: keyof QualiaOrder, reader: (value: unknown) => ReadResult<T>, code: Warning['code']) => {
    const reading = reader(source[field]);
    if (reading === 'unreadable') warnings.push({ code, field });
    return typeof reading === 'object' ? reading.value : undefined;
  };

  const properties: { address: InternalAddress }[] = [];
  let state: Jurisdiction | undefined;
  for (const [index, property] of (source.properties ?? []).entries()) {
    const stateText = filled(property.state);
    const jurisdiction = stateText === undefined ? undefined : findJurisdiction(stateText);
    if (stateText === undefined) warnings.push({ code: 'MISSING_STATE', field: `properties.${index}.state` });
    else if (jurisdiction === undefined) return { kind: 'unknown_state', stateCode: stateText };
    state ??= jurisdiction;
    properties.push({ address: mapAddress(property, jurisdiction) });
  }

  const order: InternalOrder = {
    externalOrderId: source.order_number,
    qualiaOrderId: source._id,
    source: 'QUALIA_MARKETPLACE',
    productCategory: source.vertical?.toUpperCase() ?? '',
    properties,
    agency: mapAgency(source),
    notes: '',
    ...known({
      productType: source.product_type,
      productName: source.product_name,
      purpose: source.purpose,
      transactionType: source.transaction_type,
      orderStatus: source.status && visibleText(source.status).replaceAll(' ', '_').toUpperCase(),
      state,
      borrowers: mapPeople(source.borrowers),
      sellers: mapPeople(source.sellers),
      price: read('price', readNumber, 'BAD_NUMBER'),
      purchasePrice: read('purchase_price_amount', readNumber, 'BAD_NUMBER'),
      loanAmount: read('loan_amount', readNumber, 'BAD_NUMBER'),
      dueDate: read('due_date', readDate, 'BAD_DATE'),
      projectedCloseDate: read('projected_close_date', readDate, 'BAD_DATE'),
    }),
  };
  return { kind: 'mapped', order, warnings: warnings.slice(0, mostWarnings) };
};

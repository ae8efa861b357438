import { hash } from 'node:crypto';
import type { Checksum } from '../orders/order';
import type { InternalOrder } from './order';

const withSortedKeys = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withSortedKeys);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, withSortedKeys(part)]));
};

/** JSON with sorted keys and without undefined values, so that equal orders have equal text. */
const canonicalJson = (value: unknown): string => JSON.stringify(withSortedKeys(value));

/** SHA-256 of the mapped body as canonical JSON: 64 hex digits (docs/contracts/internal-api.md). */
export const bodyHashOf = (order: InternalOrder): Checksum => hash('sha256', canonicalJson(order), 'hex') as Checksum;

/**
 * Every field of the body, in the order of its digests on an order's item. A new field goes to the end: items written
 * before it have no digest for it.
 */
export const bodyFields = Object.keys({
  externalOrderId: true,
  qualiaOrderId: true,
  source: true,
  productCategory: true,
  productType: true,
  productName: true,
  purpose: true,
  transactionType: true,
  orderStatus: true,
  state: true,
  properties: true,
  agency: true,
  borrowers: true,
  sellers: true,
  price: true,
  purchasePrice: true,
  loanAmount: true,
  dueDate: true,
  projectedCloseDate: true,
  notes: true,
} satisfies Record<keyof InternalOrder, true>) as (keyof InternalOrder)[];

const digestLength = 3;
const absent = '-'.repeat(digestLength);

/** 18 bits of the value's hash. Collisions cost a field name in a report; `bodyHashOf` decides what is posted. */
const digestOf = (value: unknown): string =>
  value === undefined ? absent : hash('sha256', canonicalJson(value), 'base64url').slice(0, digestLength);

/** Digests of the body's top-level fields, three characters per field, to name the fields that changed later. */
export const fieldDigestsOf = (order: InternalOrder): string =>
  bodyFields.map((field) => digestOf(order[field])).join('');

/**
 * Names the fields in which an order differs from one that was posted before.
 *
 * @param digests what {@link fieldDigestsOf} gave for the earlier order
 */
export const changedFields = (digests: string, order: InternalOrder): readonly string[] =>
  bodyFields.filter((field, index) => {
    const before = digests.slice(index * digestLength, (index + 1) * digestLength);
    return digestOf(order[field]) !== (before === '' ? absent : before);
  });

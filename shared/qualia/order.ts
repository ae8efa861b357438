import * as z from 'zod/mini';
import { parseJson, parseJsonAsWritten } from '../json';

const notEmpty = z.string().check(z.minLength(1));

/** Text, or a number where Qualia sent one. */
const text = z.nullish(z.union([z.string(), z.pipe(z.number(), z.transform(String))]));

/** The text that identifies an order. A number that may have lost digits could identify another one. */
const identifyingText = z.union([notEmpty, z.pipe(z.int(), z.transform(String))]);

/** Numbers and dates in any form: the mapping reads them, and warns if it cannot. */
const rawFields = {
  price: z.optional(z.unknown()),
  purchase_price_amount: z.optional(z.unknown()),
  loan_amount: z.optional(z.unknown()),
  due_date: z.optional(z.unknown()),
  projected_close_date: z.optional(z.unknown()),
};

/** More than any order or requested page has. Bounds the work, as each invalid entry creates an error. */
const maxEntries = 10_000;

/** A list, without its nulls. */
const listOf = <T extends z.ZodMiniType>(element: T) =>
  z.nullish(
    z.pipe(
      z.array(z.nullable(element)).check(z.maxLength(maxEntries)),
      z.transform((list) => list.filter((entry) => entry !== null)),
    ),
  );

const person = z.object({ full_name: text, first_name: text, middle_name: text, last_name: text });

const property = z.object({
  address_1: text,
  address_2: text,
  city: text,
  state: text,
  zipcode: text,
  county: text,
});

/**
 * Qualia's order, as far as the internal API needs it (docs/contracts/qualia.md, section 2). Unknown fields are dropped;
 * anything but `_id` and `order_number` may be null.
 */
export const qualiaOrderSchema = z.object({
  _id: notEmpty,
  order_number: identifyingText,
  status: text,
  vertical: text,
  product_name: text,
  product_type: text,
  purpose: text,
  transaction_type: text,
  customer_name: text,
  customer_contact: z.nullish(z.object({ name: text, phone: text, email: text })),
  ...rawFields,
  borrowers: listOf(person),
  sellers: listOf(person),
  properties: listOf(property),
});
export type QualiaOrder = z.output<typeof qualiaOrderSchema>;
export type QualiaProperty = z.output<typeof property>;

const responseWith = <T extends z.ZodMiniType>(order: T) =>
  z.object({ data: z.object({ order: z.object({ order }) }) });

/** Qualia's response to {@link orderQuery} if it contains an order. */
export const orderResponseSchema = responseWith(qualiaOrderSchema);
const rawFieldsSchema = responseWith(z.object(rawFields));

/**
 * Reads the order in Qualia's response to {@link orderQuery}. Text that arrives as a number keeps the digits that were
 * received; prices and dates stay numbers.
 *
 * @param bytes the response as received
 * @param parsed what `parseJson` gives for the same bytes
 * @returns `undefined` when it holds no order
 */
export const readOrder = (bytes: Uint8Array, parsed: unknown = parseJson(bytes)): QualiaOrder | undefined => {
  const raw = rawFieldsSchema.safeParse(parsed).data?.data.order.order;
  if (raw === undefined) return undefined;
  const written = orderResponseSchema.safeParse(parseJsonAsWritten(bytes, parsed)).data?.data.order.order;
  return written && { ...written, ...raw };
};

/** The text of a fault that is not in a field. */
const notJson = 'not JSON';

/**
 * The path of the first field for which a response holds no order, without the positions in lists: `properties.city`.
 * The names are those of our schema.
 */
export const faultPathOf = (bytes: Uint8Array, parsed: unknown = parseJson(bytes)): string => {
  if (parsed === undefined) return notJson;
  const issue = orderResponseSchema.safeParse(parseJsonAsWritten(bytes, parsed)).error?.issues[0];
  const names = issue?.path.filter((part) => typeof part === 'string') ?? [];
  return names.join('.').replace(/^data\.order\.order\./, '') || 'data';
};

/** An entry that is not an order gets an empty id: it must not hide the others. */
const listedOrder = z.catch(
  z.object({
    _id: z.catch(z.string(), ''),
    status: z.optional(z.unknown()),
    status_details: z.optional(z.unknown()),
  }),
  { _id: '' },
);

/** Qualia's response to `openOrdersQuery`. */
export const openOrdersResponseSchema = z.object({
  data: z.object({ orders: z.object({ orders: z.array(listedOrder).check(z.maxLength(maxEntries)) }) }),
});

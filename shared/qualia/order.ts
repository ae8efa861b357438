import * as z from 'zod';

/** Text, or a number where Qualia sent one. */
const text = z.union([z.string(), z.number().transform(String)]).nullish();

/** A number or a date in whatever form: the mapping reads it, and warns when it cannot. */
const raw = z.unknown().optional();

/** More than any order has, and than a page of orders was asked for: each entry that is wrong costs an error. */
const mostEntries = 10_000;

/** A list, less the nulls in it. */
const listOf = <T extends z.ZodType>(element: T) =>
  z
    .array(element.nullable())
    .max(mostEntries)
    .transform((list) => list.filter((entry) => entry !== null))
    .nullish();

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
  _id: z.string().min(1),
  order_number: z.union([z.string().min(1), z.number().transform(String)]),
  status: text,
  vertical: text,
  product_name: text,
  product_type: text,
  purpose: text,
  transaction_type: text,
  customer_name: text,
  customer_contact: z.object({ name: text, phone: text, email: text }).nullish(),
  price: raw,
  purchase_price_amount: raw,
  loan_amount: raw,
  due_date: raw,
  projected_close_date: raw,
  borrowers: listOf(person),
  sellers: listOf(person),
  properties: listOf(property),
});
export type QualiaOrder = z.output<typeof qualiaOrderSchema>;
export type QualiaProperty = z.output<typeof property>;
export type QualiaPerson = z.output<typeof person>;

/** What Qualia answers to {@link orderQuery}, once it is known to hold an order. */
export const orderAnswerSchema = z.object({ data: z.object({ order: z.object({ order: qualiaOrderSchema }) }) });

/** What Qualia answers to {@link openOrdersQuery}. */
export const openOrdersAnswerSchema = z.object({
  data: z.object({ orders: z.object({ orders: z.array(z.object({ _id: z.string() })).max(mostEntries) }) }),
});

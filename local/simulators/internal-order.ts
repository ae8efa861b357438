import * as z from 'zod';
import states from '../../samples/jurisdictions.json';

/**
 * The order that the internal API accepts, as strict as the table in `docs/contracts/internal-api.md`: an unknown field, an
 * empty part that should have been left out, or a number as text is a mapping bug and is refused.
 */

const stateNames = new Map(Object.entries(states));
/** Can be empty: the contract only leaves out nulls. */
const part = z.string();
const text = z.string().min(1);
const upperCase = z.string().regex(/^[^a-z]*$/, 'must be upper case');
const date = z.union([z.iso.date(), z.iso.datetime()], { error: 'must be YYYY-MM-DD or ISO 8601 UTC' });
const stateCode = z.string().refine((code) => stateNames.has(code), 'must be one of the 54 codes');

const contact = z
  .strictObject({ name: part.optional(), phone: part.optional(), email: part.optional() })
  .refine((value) => Object.keys(value).length > 0, 'must be left out if empty');

const party = z.strictObject({
  fullName: part.optional(),
  firstName: part.optional(),
  middleName: part.optional(),
  lastName: part.optional(),
});

const address = z.strictObject({
  addressLine1: text.optional(),
  addressLine2: text.optional(),
  city: text.optional(),
  county: text.optional(),
  state: stateCode.optional(),
  zip: text.optional(),
});

/** Refuses an order with a `{ path, message }` for every fault. */
export const internalOrderSchema = z.strictObject({
  externalOrderId: text,
  qualiaOrderId: text,
  source: z.literal('QUALIA_MARKETPLACE'),
  productCategory: upperCase,
  productType: part.optional(),
  productName: part.optional(),
  purpose: part.optional(),
  transactionType: part.optional(),
  orderStatus: upperCase.regex(/^\S*$/, 'must hold no spaces').optional(),
  state: z
    .strictObject({ stateCode, stateName: text })
    .refine((state) => stateNames.get(state.stateCode) === state.stateName, 'code and name must belong together')
    .optional(),
  properties: z.array(z.strictObject({ address })).optional(),
  agency: z.strictObject({
    agencyName: z.string(),
    contact: contact.optional(),
  }),
  borrowers: z.array(party).min(1).optional(),
  sellers: z.array(party).min(1).optional(),
  price: z.number().optional(),
  purchasePrice: z.number().optional(),
  loanAmount: z.number().optional(),
  dueDate: date.optional(),
  projectedCloseDate: date.optional(),
  notes: z.literal(''),
});

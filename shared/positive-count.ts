import * as z from 'zod/mini';

/**
 * A whole number of at least 1, written as text. Apart from the other variables, as the webhook has none: what a schema
 * is made of stays in its bundle, used or not.
 */
export const positiveCount = z.pipe(
  z.string('is missing').check(z.regex(/^[1-9]\d{0,8}$/, 'is not a whole number from 1')),
  z.transform(Number),
);

import * as z from 'zod/mini';

/**
 * A whole number of at least 1, written as text. In its own file because the webhook has no such variable: its bundle
 * would contain the parts of this schema even if unused.
 */
export const positiveCount = z.pipe(
  z.string('is missing').check(z.regex(/^[1-9]\d{0,8}$/, 'is not a whole number from 1')),
  z.transform(Number),
);

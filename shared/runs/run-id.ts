import * as z from 'zod';

/** Letters, digits, `-` and `_`: the id of a run names its folder. */
export const runIdSchema = z
  .string('must be a string')
  .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be 1 to 80 letters, digits, "-" or "_"');

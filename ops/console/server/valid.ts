import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import type * as z from 'zod';
import { usageFault } from './faults';

/**
 * Parses a part of a request. `c.req.valid` returns the result.
 *
 * @throws {ConsoleFault} `usage`, which lists everything that is wrong
 */
export const valid = <Target extends 'json' | 'query' | 'param', Schema extends z.ZodType>(
  target: Target & keyof ValidationTargets,
  schema: Schema,
) =>
  zValidator(target, schema, (result) => {
    if (!result.success) throw usageFault(result.error.issues);
  });

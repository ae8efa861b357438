import type { $ZodIssue, $ZodType } from 'zod/v4/core';

/** Any schema of `zod` or of `zod/mini` with the output `T`. */
export type Schema<T> = $ZodType<T>;

/** Path and message of each fault, never the value. */
export const describeIssues = (issues: readonly $ZodIssue[]): { path: string; message: string }[] =>
  issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));

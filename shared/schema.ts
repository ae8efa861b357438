import type { $ZodIssue, $ZodType } from 'zod/v4/core';

/** Any schema of `zod` or of `zod/mini` with the output `T`. */
export type Schema<T> = $ZodType<T>;

/** One entry for each fault: its path and a message, never the value. */
export const describeIssues = (issues: readonly $ZodIssue[]): { path: string; message: string }[] =>
  issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));

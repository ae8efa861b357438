import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';

/** The document of the Now screen. */
export type StatusDocument = InferResponseType<typeof api.status.$get>;

/** A part of the status, or why it is not known. */
type Part<T> = T | { readonly missing: string };

/** Whether a part of the status is not known. */
export const isMissing = (part: unknown): part is { readonly missing: string } =>
  typeof part === 'object' && part !== null && 'missing' in part;

/** A part of the status; undefined if it is not known. */
export const knownPart = <T>(part: Part<T>): Exclude<T, { readonly missing: string }> | undefined =>
  isMissing(part) ? undefined : (part as Exclude<T, { readonly missing: string }>);

import * as z from 'zod';
import { type IterableUser, toProfile } from './rows';

/** The result of reading back users that were sent. Contains no personal data. */
export const confirmationSchema = z.object({
  /** Users that were read back. */
  checked: z.number(),
  /** Users whose profile has every value that was sent. */
  confirmed: z.number(),
  /** The other ones: the names of the fields that differ, or `email` if there is no such user. */
  differences: z.array(z.object({ id: z.string(), fields: z.array(z.string()) })),
  /** Why the remaining users of the sample could not be read. */
  error: z.string().optional(),
});
export type Confirmation = z.output<typeof confirmationSchema>;

/** A profile as Iterable returns it. */
export type StoredFields = Readonly<Record<string, unknown>>;

/**
 * Names of the fields whose stored value is not the one that was sent. A field can have another type in the project, so
 * values are compared as text.
 *
 * @param stored undefined if there is no such user
 */
export const differingFields = (user: IterableUser, stored: StoredFields | undefined): string[] => {
  if (stored === undefined) return ['email'];
  return Object.entries(toProfile(user).dataFields)
    .filter(([name, value]) => !Object.hasOwn(stored, name) || String(stored[name]) !== String(value))
    .map(([name]) => name);
};

/** What is wrong, as sentences for the report. */
export const warningsOf = ({ checked, differences, error }: Confirmation): string[] => [
  ...(differences.length === 0
    ? []
    : [`${differences.length} of ${checked} users that were read back differ from what Iterable accepted`]),
  ...(error === undefined ? [] : [`Users could not be read back: ${error}`]),
];

/** Evenly spaced items, at most `count`. @param offset a whole number; chooses other items */
export const spread = <T>(items: readonly T[], count: number, offset: number): T[] => {
  const picked = Math.min(count, items.length);
  const step = items.length / picked;
  const start = offset % Math.max(1, Math.floor(step));
  return Array.from({ length: picked }, (_, index) => items[start + Math.floor(index * step)]).filter(
    (item) => item !== undefined,
  );
};

import * as z from 'zod';

/** Values as JSON writes them, for a message. */
export const quoted = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');

/** `true` or `false`. */
export const flag = (byDefault: boolean) => z.boolean('must be true or false').default(byDefault);

/** One of a list of words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${quoted(values)}`);

/** A text of 1 to `maxLength` characters. */
export const text = (maxLength: number) =>
  z.string('must be a string').min(1, 'is empty').max(maxLength, 'is too long');

/** A list of at most `maxEntries` items. */
export const list = <T extends z.ZodType>(item: T, maxEntries = 100, tooMany = `has more than ${maxEntries} entries`) =>
  z.array(item, 'must be a list').max(maxEntries, tooMany);

/** A whole number from `min` to `max`. */
export const wholeNumber = (min: number, max: number) =>
  z
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

/**
 * An object with no other keys. All objects of a run's input use it, so that unknown keys are reported in the same
 * words.
 */
export const exactly = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `has no ${quoted(issue.keys)}` : 'must be a JSON object'),
  });

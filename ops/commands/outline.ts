import { parseJson } from '../../shared/json';

const maxLines = 60;
const maxDepth = 6;
/** A name that a program gives to a field. Any other name could be a value, such as a person's name. */
const fieldName = /^[A-Za-z_][\w.-]{0,63}$/;

const nameOf = (key: string, isItem: boolean): string =>
  isItem || fieldName.test(key) ? key : `(a name of ${key.length} characters)`;

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  return `a ${typeof value}`;
};

const linesOf = (name: string, value: unknown, depth: number): string[] => {
  const line = `${'  '.repeat(depth)}${name}: ${kindOf(value)}`;
  if (typeof value !== 'object' || value === null) return [line];
  if (depth === maxDepth) return [`${line} …`];
  // A list can be long, and its items usually have the same fields.
  const entries = Object.entries(value).slice(0, maxLines);
  return [line, ...entries.flatMap(([key, item]) => linesOf(nameOf(key, Array.isArray(value)), item, depth + 1))];
};

/**
 * Describes the structure of a body without its values, which can be personal data: one line for each field, with its
 * type and length.
 */
export const outlineOf = (body: string): string[] => {
  const json = parseJson(body);
  if (json === undefined) return [`body: not JSON, ${body.length} characters`];
  const lines = linesOf('body', json, 0);
  return lines.length > maxLines ? [...lines.slice(0, maxLines), '…'] : lines;
};

import * as z from 'zod';
import { PipelineError } from '../errors';

/** Path of field names, starting below the response's `data`. */
export type FieldPath = readonly string[];

const errorSchema = z
  .object({
    message: z.string().catch(''),
    extensions: z
      .object({ code: z.string().min(1) })
      .optional()
      .catch(undefined),
    path: z.array(z.unknown()).optional().catch(undefined),
  })
  .catch({ message: '' });
type GraphQlError = z.output<typeof errorSchema>;

/** Further errors of a longer list are ignored. */
const maxErrors = 100;
const errorsSchema = z.object({
  errors: z
    .array(z.unknown())
    .transform((errors) => errors.slice(0, maxErrors))
    .pipe(z.array(errorSchema)),
});

/**
 * An error concerns a field if its path is a prefix of the field's path, or the reverse. Without a path, it concerns
 * all.
 */
const isOutside = ({ path }: GraphQlError, field: FieldPath): boolean =>
  path !== undefined && field.some((name, depth) => depth < path.length && path[depth] !== name);

const isThere = (json: unknown, field: FieldPath): boolean => {
  let value: unknown = json;
  for (const name of ['data', ...field]) {
    if (typeof value !== 'object' || value === null) return false;
    value = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  }
  return value !== undefined && value !== null;
};

/**
 * The GraphQL errors of a response that concern the required field. If the field is present, errors about other fields
 * are ignored. If it is absent, they may be the reason: they count if no error concerns the field itself.
 */
export const graphQlErrorsThatMatter = (json: unknown, needed: FieldPath): readonly GraphQlError[] => {
  const errors = errorsSchema.safeParse(json).data?.errors ?? [];
  const inside = errors.filter((error) => !isOutside(error, needed));
  return inside.length > 0 || isThere(json, needed) ? inside : errors;
};

const permanentCodes = ['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'];

/** The order's id or number in a message. It contains a digit. */
const name = String.raw`(?=\S*\d)\S+`;
const theOrder = `(?:the |this |that )?order(?: (?:with )?(?:the )?(?:_?id |number )?${name})?`;
const allowed = '(?:allowed|permitted|authori[sz]ed)';
const reach = '(?:access|see|view|read|open|get)';
const wholeMessage = (forms: readonly string[]): RegExp => new RegExp(`^(?:${forms.join('|')})$`);

const saysMissing = wholeMessage([
  `${theOrder} (?:was |is |could )?not (?:be )?found(?: ${name})?`,
  `${theOrder} (?:does not|doesn't) exist`,
  `(?:no such|unknown) order(?: ${name})?`,
  `no ${theOrder}(?: was)? found(?: ${name})?`,
  `(?:could not|couldn't|cannot|can't|unable to) find ${theOrder}`,
  `not found ${theOrder}`,
  'ordernotfound(?:error)?',
]);
const saysRefused = wholeMessage([
  `(?:access to )?${theOrder} (?:is |was )?(?:not ${allowed}|forbidden|denied)`,
  `(?:(?:you|user) (?:are|is) )?not ${allowed} to ${reach} ${theOrder}`,
  `(?:you )?(?:do not|don't) have (?:access to|permission to ${reach}) ${theOrder}`,
]);

const longestMessage = 300;

/**
 * The first sentence in lower case, without quotes and separators: `ORDER_NOT_FOUND: "QO-1"` is `order not found qo-1`.
 * The requested id becomes `0`.
 */
const normalize = (message: string, orderId: string | undefined): string =>
  (
    message
      .slice(0, longestMessage)
      .toLowerCase()
      .replaceAll('’', "'")
      .split(/[.!;\n](?:\s|$)/)[0] ?? ''
  )
    .replace(/\border[_-]not[_-]/, 'order not ')
    .replace(/["`()[\]{}#:=,]|(?<![a-z])'|'(?![a-z])/g, ' ')
    .trim()
    .split(/\s+/)
    .map((word) => (word === orderId?.toLowerCase() ? '0' : word))
    .join(' ')
    .replace(/^(?:graphql )?error /, '');

type Verdict = 'missing' | 'refused' | 'passing';

/** The code decides if there is one. Otherwise only a message about the order itself makes the error permanent. */
const judge = ({ message, extensions }: GraphQlError, orderId: string | undefined): Verdict => {
  if (extensions !== undefined) {
    if (extensions.code === 'NOT_FOUND') return 'missing';
    return permanentCodes.includes(extensions.code) ? 'refused' : 'passing';
  }
  const said = normalize(message, orderId);
  if (saysMissing.test(said)) return 'missing';
  return saysRefused.test(said) ? 'refused' : 'passing';
};

export const orderNotFound = (): PipelineError =>
  new PipelineError('ORDER_NOT_FOUND', 'Qualia knows no such order', { api: 'qualia', retryable: false });

/** What GraphQL errors mean for the call (docs/contracts/qualia.md, section 2). */
export const judgeGraphQlErrors = (errors: readonly GraphQlError[], orderId?: string): PipelineError => {
  const verdicts = errors.map((error) => judge(error, orderId));
  if (verdicts.includes('missing')) return orderNotFound();
  const retryable = !verdicts.includes('refused');
  const said = `Qualia answered a GraphQL error that is ${retryable ? 'passing' : 'final'}`;
  return new PipelineError('GRAPHQL_ERROR', said, { api: 'qualia', retryable });
};

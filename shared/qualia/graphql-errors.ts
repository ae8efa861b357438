import * as z from 'zod/mini';
import { PipelineError } from '../errors';

/** Path of field names, starting below the response's `data`. */
export type FieldPath = readonly string[];

const errorSchema = z.catch(
  z.object({
    message: z.catch(z.string(), ''),
    extensions: z.catch(z.optional(z.object({ code: z.string().check(z.minLength(1)) })), undefined),
    path: z.catch(z.optional(z.array(z.unknown())), undefined),
  }),
  { message: '' },
);
type GraphQlError = z.output<typeof errorSchema>;

/** Further errors of a longer list are ignored. */
const maxErrors = 100;
const errorsSchema = z.object({
  errors: z.pipe(
    z.pipe(
      z.array(z.unknown()),
      z.transform((errors) => errors.slice(0, maxErrors)),
    ),
    z.array(errorSchema),
  ),
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

const transientCodes = [
  'BAD_REQUEST',
  'GRAPHQL_PARSE_FAILED',
  'INTERNAL_SERVER_ERROR',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'SERVICE_UNAVAILABLE',
];
const knownCodes: ReadonlySet<string> = new Set([...permanentCodes, ...transientCodes]);

/** A known code only: any other one is free text of Qualia's, and could contain personal data. */
const knownCodeOf = (error: GraphQlError | undefined): string | undefined => {
  const code = error?.extensions?.code;
  return code !== undefined && knownCodes.has(code) ? code : undefined;
};

const describeCode = (error: GraphQlError | undefined): string =>
  knownCodeOf(error) ?? (error?.extensions === undefined ? 'without a code' : 'with an unknown code');

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

type ErrorKind = 'missing' | 'refused' | 'transient';

/** The code decides if there is one. Otherwise only a message about the order itself makes the error permanent. */
const kindOf = ({ message, extensions }: GraphQlError, orderId: string | undefined): ErrorKind => {
  if (extensions !== undefined) {
    if (extensions.code === 'NOT_FOUND') return 'missing';
    return permanentCodes.includes(extensions.code) ? 'refused' : 'transient';
  }
  const text = normalize(message, orderId);
  if (saysMissing.test(text)) return 'missing';
  return saysRefused.test(text) ? 'refused' : 'transient';
};

export const orderNotFound = (): PipelineError =>
  new PipelineError('ORDER_NOT_FOUND', 'The order does not exist in Qualia', { api: 'qualia', retryable: false });

/** What GraphQL errors mean for the call (docs/contracts/qualia.md, section 2). */
export const classifyGraphQlErrors = (errors: readonly GraphQlError[], orderId?: string): PipelineError => {
  const kinds = errors.map((error) => kindOf(error, orderId));
  if (kinds.includes('missing')) return orderNotFound();
  const retryable = !kinds.includes('refused');
  const decisive = errors[retryable ? 0 : kinds.indexOf('refused')];
  const message = `Qualia returned a ${retryable ? 'transient' : 'permanent'} GraphQL error, ${describeCode(decisive)}`;
  return new PipelineError('GRAPHQL_ERROR', message, { api: 'qualia', retryable, detail: knownCodeOf(decisive) });
};

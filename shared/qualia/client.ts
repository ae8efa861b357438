import * as z from 'zod';
import type { Secret } from '../aws/secret';
import { PipelineError } from '../errors';
import { type ApiAnswer, type CallContext, expectSuccess } from '../http/api-client';
import { withCredential } from '../http/credential';
import { createOrderApi, type OrderApiOptions, pathOf } from '../http/order-api';
import { parseJson } from '../json';
import { type OrderId, orderIdSchema } from '../orders/order';
import { openOrdersAnswerSchema, readOrder } from './order';
import { openOrdersQuery, orderQuery } from './query';

/** The secret that holds our credentials at Qualia. */
export const qualiaCredentialSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });
export type QualiaCredential = z.output<typeof qualiaCredentialSchema>;

/** An order as Qualia answered it. */
export interface DownloadedOrder {
  /**
   * The whole answer, byte for byte as Qualia wrote it, with its content encoding undone
   * (docs/contracts/qualia.md, section 2).
   */
  readonly bytes: Uint8Array;
  readonly attempt: number;
  readonly responseTimeMs: number;
}

/** An answer that stayed unreadable: `BAD_ANSWER`, permanent, with the bytes for a person to look at. */
export class UnreadableAnswerError extends PipelineError {
  constructor(
    message: string,
    options: { readonly retryable: boolean; readonly statusCode: number },
    readonly bytes: Uint8Array,
  ) {
    super('BAD_ANSWER', message, { ...options, api: 'qualia' });
    // Bodies hold personal data: whatever formats an error must not come upon this one.
    Object.defineProperty(this, 'bytes', { enumerable: false });
  }
}

/** Which part of a list: `limit` entries from the `offset`-th on. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

export interface OpenOrdersPage {
  readonly orderIds: readonly OrderId[];
  /** Entries that the page had, with those left out. */
  readonly listed: number;
}

export interface QualiaClientOptions extends Omit<OrderApiOptions, 'api'> {
  readonly credential: Secret<QualiaCredential>;
}

const permanentExtensionCodes = [
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
];
const permanentMessage = /not[ _-]?found|not[ _-]?authori[sz]ed|unauthori[sz]ed|forbidden/i;
const missingMessage = /not[ _-]?found/i;

const graphQlError = z
  .object({ message: z.string().catch(''), extensions: z.object({ code: z.string() }).optional().catch(undefined) })
  .catch({ message: '' });
/** Of a longer list, the first say enough. */
const mostErrors = 100;
const graphQlErrors = z.object({
  errors: z
    .array(z.unknown())
    .min(1)
    .transform((errors) => errors.slice(0, mostErrors))
    .pipe(z.array(graphQlError)),
});
const nullOrder = z.object({ data: z.object({ order: z.union([z.null(), z.object({ order: z.null() })]) }) });

/** How often an answer that cannot be read is worth another try. */
const unreadableRetries = 2;

/**
 * Qualia's GraphQL API (docs/contracts/qualia.md, section 2).
 */
export const createQualiaClient = (options: QualiaClientOptions) => {
  const api = createOrderApi({ ...options, api: 'qualia' });

  /**
   * POSTs a query. `read` takes the JSON of an answer without errors, and gives `undefined` when it is not what was
   * asked for.
   */
  const ask = <T>(
    body: { query: string; variables: Readonly<Record<string, unknown>> },
    context: CallContext,
    read: (json: unknown, answer: ApiAnswer) => T | undefined,
  ): Promise<T> => {
    let unreadable = 0;
    const judge = (answer: ApiAnswer): T => {
      expectSuccess(answer, 'qualia', options.now());
      const json = parseJson(answer.body);
      const failed = graphQlErrors.safeParse(json);
      if (failed.success) throw judgeGraphQlErrors(failed.data.errors);
      const value = read(json, answer);
      if (value !== undefined) return value;
      throw new UnreadableAnswerError(
        'Qualia answered something else than what was asked for',
        { retryable: ++unreadable <= unreadableRetries, statusCode: answer.statusCode },
        answer.body,
      );
    };
    return withCredential(options.credential, ({ username, password }) =>
      api.call({
        request: {
          method: 'POST',
          path: pathOf(options.url),
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
          },
          body: JSON.stringify(body),
        },
        context,
        read: judge,
      }),
    );
  };

  return {
    /**
     * Fetches one order.
     *
     * @throws {PipelineError} permanent: `ORDER_NOT_FOUND`, `GRAPHQL_ERROR`, `API_REFUSED`,
     * {@link UnreadableAnswerError}; retryable: `GRAPHQL_ERROR`, `RATE_LIMITED`, `API_UNAVAILABLE`, `TIMEOUT`,
     * `CONNECTION_FAULT`, `CIRCUIT_OPEN`
     */
    fetchOrder: (orderId: OrderId, context: CallContext): Promise<DownloadedOrder> =>
      ask({ query: orderQuery, variables: { id: orderId } }, context, (json, answer) => {
        if (nullOrder.safeParse(json).success) throw notFound();
        if (readOrder(answer.body, json) === undefined) return undefined;
        return { bytes: answer.body, attempt: answer.attempt, responseTimeMs: answer.responseTimeMs };
      }),

    /**
     * One page of the orders that are open at Qualia, by id; an empty page is the end. Ids that cannot be ours are
     * left out: no webhook could have named them.
     *
     * @throws {PipelineError} as `fetchOrder`, without `ORDER_NOT_FOUND`
     */
    listOpenOrders: (page: Page, context: CallContext): Promise<OpenOrdersPage> =>
      ask({ query: openOrdersQuery, variables: { ...page } }, context, (json) => {
        const parsed = openOrdersAnswerSchema.safeParse(json);
        if (!parsed.success) return undefined;
        const { orders } = parsed.data.data.orders;
        return {
          orderIds: orders.flatMap(({ _id }) => orderIdSchema.safeParse(_id).data ?? []),
          listed: orders.length,
        };
      }),

    answeredAtMs: api.answeredAtMs,
    close: api.close,
  };
};

export type QualiaClient = ReturnType<typeof createQualiaClient>;

const notFound = () =>
  new PipelineError('ORDER_NOT_FOUND', 'Qualia knows no such order', { api: 'qualia', retryable: false });

const judgeGraphQlErrors = (errors: z.output<typeof graphQlErrors>['errors']): PipelineError => {
  const missing = errors.some(
    ({ message, extensions }) => extensions?.code === 'NOT_FOUND' || missingMessage.test(message),
  );
  if (missing) return notFound();
  const permanent = errors.some(
    ({ message, extensions }) =>
      permanentMessage.test(message) || (extensions !== undefined && permanentExtensionCodes.includes(extensions.code)),
  );
  return new PipelineError(
    'GRAPHQL_ERROR',
    `Qualia answered a GraphQL error that is ${permanent ? 'final' : 'passing'}`,
    {
      api: 'qualia',
      retryable: !permanent,
    },
  );
};

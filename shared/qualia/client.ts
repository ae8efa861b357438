import * as z from 'zod';
import type { Secret } from '../aws/secret';
import { PipelineError } from '../errors';
import { type ApiAnswer, type CallContext, expectSuccess } from '../http/api-client';
import { withCredential } from '../http/credential';
import { createOrderApi, type OrderApiOptions, pathOf } from '../http/order-api';
import { parseJson } from '../json';
import type { OrderId } from '../orders/order';
import { orderAnswerSchema } from './order';
import { orderQuery } from './query';

/** The secret that holds our credentials at Qualia. */
export const qualiaCredentialSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });
export type QualiaCredential = z.output<typeof qualiaCredentialSchema>;

/** An order as Qualia answered it. */
export interface DownloadedOrder {
  /** The whole answer, byte for byte. */
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

const graphQlErrors = z.object({
  errors: z
    .array(
      z.object({
        message: z.string().catch(''),
        extensions: z.object({ code: z.string() }).optional().catch(undefined),
      }),
    )
    .min(1),
});
const nullOrder = z.object({ data: z.object({ order: z.union([z.null(), z.object({ order: z.null() })]) }) });

/** How often an answer that cannot be read is worth another try. */
const unreadableRetries = 2;

/**
 * Qualia's GraphQL API (contracts: qualia.md, section 2).
 */
export const createQualiaClient = (options: QualiaClientOptions) => {
  const api = createOrderApi({ ...options, api: 'qualia' });

  /** POSTs a query. `read` judges what came with a 2xx. */
  const ask = <T>(
    body: { query: string; variables: Readonly<Record<string, unknown>> },
    context: CallContext,
    read: (answer: ApiAnswer) => T,
  ): Promise<T> =>
    withCredential(options.credential, ({ username, password }) =>
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
        read: (answer) => {
          expectSuccess(answer, 'qualia', options.now());
          return read(answer);
        },
      }),
    );

  return {
    /**
     * Fetches one order.
     *
     * @throws {PipelineError} permanent: `ORDER_NOT_FOUND`, `GRAPHQL_ERROR`, `API_REFUSED`,
     * {@link UnreadableAnswerError}; retryable: `GRAPHQL_ERROR`, `RATE_LIMITED`, `API_UNAVAILABLE`, `TIMEOUT`,
     * `CONNECTION_FAULT`, `CIRCUIT_OPEN`
     */
    fetchOrder: (orderId: OrderId, context: CallContext): Promise<DownloadedOrder> => {
      let unreadable = 0;
      return ask({ query: orderQuery, variables: { id: orderId } }, context, (answer) => {
        const fault = judgeOrderAnswer(answer.body);
        if (fault === 'unreadable') {
          throw new UnreadableAnswerError(
            'Qualia answered something that is no order',
            { retryable: ++unreadable <= unreadableRetries, statusCode: answer.statusCode },
            answer.body,
          );
        }
        if (fault !== undefined) throw fault;
        return { bytes: answer.body, attempt: answer.attempt, responseTimeMs: answer.responseTimeMs };
      });
    },

    close: api.close,
  };
};

export type QualiaClient = ReturnType<typeof createQualiaClient>;

/** What is wrong with the body of a 2xx answer; `undefined` when it holds an order. */
const judgeOrderAnswer = (body: Uint8Array): PipelineError | 'unreadable' | undefined => {
  const json = parseJson(body);
  if (json === undefined) return 'unreadable';
  const failed = graphQlErrors.safeParse(json);
  if (failed.success) return judgeGraphQlErrors(failed.data.errors);
  if (nullOrder.safeParse(json).success) return notFound();
  return orderAnswerSchema.safeParse(json).success ? undefined : 'unreadable';
};

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

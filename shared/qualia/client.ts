import * as z from 'zod/mini';
import type { Secret } from '../aws/secret';
import { fingerprintOf } from '../completeness/fingerprint';
import { required, secretText } from '../config';
import { PipelineError } from '../errors';
import { type ApiResponse, type CallContext, expectSuccess } from '../http/api-client';
import { withCredential } from '../http/credential';
import { createOrderApi, type OrderApiOptions, pathOf } from '../http/order-api';
import { parseJson } from '../json';
import type { OrderId } from '../orders/order';
import { classifyGraphQlErrors, type FieldPath, graphQlErrorsThatMatter, orderNotFound } from './graphql-errors';
import { faultPathOf, openOrdersResponseSchema, readOrder } from './order';
import { openOrdersQuery, orderQuery } from './query';

/** The secret with our credentials for Qualia. */
export const qualiaCredentialSchema = z.object({ username: required, password: secretText });
export type QualiaCredential = z.output<typeof qualiaCredentialSchema>;

/** An order as Qualia returned it. */
export interface DownloadedOrder {
  /**
   * The whole response body, byte for byte as Qualia wrote it, with its content encoding decoded
   * (docs/contracts/qualia.md, section 2).
   */
  readonly bytes: Uint8Array;
  readonly attempt: number;
  readonly responseTimeMs: number;
}

/** A response that is not what the query asked for: `BAD_ANSWER`, permanent after some retries. Keeps the bytes. */
export class UnreadableResponseError extends PipelineError {
  constructor(
    message: string,
    options: { readonly retryable: boolean; readonly statusCode: number; readonly detail: string | undefined },
    readonly bytes: Uint8Array,
  ) {
    super('BAD_ANSWER', message, { ...options, api: 'qualia' });
    // Bodies contain personal data, so hide them from code that formats errors.
    Object.defineProperty(this, 'bytes', { enumerable: false });
  }
}

/** Which part of the list of open orders, and whether to request the status of each order. */
export interface OpenOrdersRequest {
  readonly limit: number;
  readonly offset: number;
  readonly withStatus: boolean;
}

/** An entry of the list. Its id is as Qualia sent it, and may be one that is not valid in a webhook. */
export interface ListedOrder {
  readonly id: string;
  /** Fingerprint of its status, if the list has one. */
  readonly fingerprint: string | undefined;
}

export interface QualiaClientOptions extends Omit<OrderApiOptions, 'api'> {
  readonly credential: Secret<QualiaCredential>;
}

const nullOrder = z.object({ data: z.object({ order: z.union([z.null(), z.object({ order: z.null() })]) }) });

/** A query, and how to read its response. */
interface Query<T> {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: CallContext;
  /** The requested order, if the query requests one. */
  readonly orderId?: OrderId;
  /** The required field of the response. If it is present, GraphQL errors about other fields are ignored. */
  readonly needed: FieldPath;
  /** @returns `undefined` if the JSON does not have the requested data */
  readonly read: (json: unknown, response: ApiResponse) => T | undefined;
  /** The path of the field because of which `read` found no data. */
  readonly faultPath?: (json: unknown, response: ApiResponse) => string;
  /** Whether the response reports that the requested order does not exist. */
  readonly isNull?: (json: unknown) => boolean;
}

/** Maximum number of retries after an unreadable response. */
const unreadableRetries = 2;

/**
 * Qualia's GraphQL API (docs/contracts/qualia.md, section 2).
 */
export const createQualiaClient = (options: QualiaClientOptions) => {
  const api = createOrderApi({ ...options, api: 'qualia' });

  const runQuery = <T>({
    query,
    variables,
    context,
    orderId,
    needed,
    read,
    faultPath,
    isNull,
  }: Query<T>): Promise<T> => {
    let unreadable = 0;
    const readResponse = (response: ApiResponse): T => {
      expectSuccess(response, 'qualia', options.now());
      const json = parseJson(response.body);
      const graphQlErrors = graphQlErrorsThatMatter(json, needed);
      if (graphQlErrors.length > 0) throw classifyGraphQlErrors(graphQlErrors, orderId);
      const value = read(json, response);
      if (value !== undefined) return value;
      if (isNull?.(json)) throw orderNotFound();
      throw new UnreadableResponseError(
        "Qualia's response does not contain the requested data",
        {
          retryable: ++unreadable <= unreadableRetries,
          statusCode: response.statusCode,
          detail: faultPath?.(json, response),
        },
        response.body,
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
          body: JSON.stringify({ query, variables }),
        },
        context,
        about: { order_id: orderId },
        read: readResponse,
      }),
    );
  };

  return {
    /**
     * Fetches one order.
     *
     * @throws {PipelineError} permanent: `ORDER_NOT_FOUND`, `GRAPHQL_ERROR`, `API_REFUSED`,
     * {@link UnreadableResponseError}; retryable: `GRAPHQL_ERROR`, `RATE_LIMITED`, `API_UNAVAILABLE`, `TIMEOUT`,
     * `CONNECTION_FAULT`, `CIRCUIT_OPEN`
     */
    fetchOrder: (orderId: OrderId, context: CallContext): Promise<DownloadedOrder> =>
      runQuery({
        query: orderQuery,
        variables: { id: orderId },
        context,
        orderId,
        needed: ['order', 'order'],
        // A complete order is another one.
        faultPath: (json, { body }) => (readOrder(body, json) === undefined ? faultPathOf(body, json) : '_id'),
        isNull: (json) => nullOrder.safeParse(json).success,
        read: (json, response) => {
          // The response must be about the requested order.
          if (readOrder(response.body, json)?._id !== orderId) return undefined;
          return { bytes: response.body, attempt: response.attempt, responseTimeMs: response.responseTimeMs };
        },
      }),

    /**
     * One page of the orders that are open at Qualia. An empty page is beyond the end of the list.
     *
     * @throws {PipelineError} as `fetchOrder`. `ORDER_NOT_FOUND` only if Qualia returns a GraphQL error that says so:
     * a list that is null is an {@link UnreadableResponseError}
     */
    listOpenOrders: (
      { withStatus, ...variables }: OpenOrdersRequest,
      context: CallContext,
    ): Promise<readonly ListedOrder[]> =>
      runQuery({
        query: openOrdersQuery(withStatus),
        variables,
        context,
        needed: ['orders', 'orders'],
        read: (json) => {
          const parsed = openOrdersResponseSchema.safeParse(json);
          return parsed.data?.data.orders.orders.map(({ _id, ...status }) => ({
            id: _id,
            fingerprint: fingerprintOf(status),
          }));
        },
      }),

    lastResponseAtMs: api.lastResponseAtMs,
    close: api.close,
  };
};

export type QualiaClient = ReturnType<typeof createQualiaClient>;

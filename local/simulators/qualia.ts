import { join } from 'node:path';
import { GraphQLError } from 'graphql';
import * as z from 'zod';
import type { QualiaOrder } from '../../samples/orders';
import type { FaultAnswer, Reply } from './faults';
import { openJournal } from './journal';
import { readGraphqlRequest } from './qualia-schema';
import { notifyOfNewOrder, type RegisteredWebhook, type SentOrder, webhookSchema } from './qualia-webhook';
import { basic, checked, parseJson, startSimulator } from './simulator';

const graphqlPath = '/api/vendor/graphql';
const largestPage = 500;

const orderSchema: z.ZodType<QualiaOrder> = z.looseObject({ _id: z.string().min(1), order_number: z.string().min(1) });
const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

const listSchema = z.strictObject({
  /** Whether the list shows the status of its orders. If not, a query for it is refused as invalid. */
  status_fields: z.boolean().default(true),
  /** Maximum number of orders on a page, regardless of the query's limit. */
  longest_page: z.int().min(1).default(largestPage),
  /** Returns the first page for every page. */
  ignores_offset: z.boolean().default(false),
  /** Number of orders of each page that are completed after it: they leave the list, and all later ones shift. */
  completes_per_page: z.int().min(0).default(0),
});

/** How new orders are made, which then survive a restart. */
export interface NewOrders {
  /** The nth new order. Its ID and number are replaced by unused ones. */
  readonly content: (nth: number) => QualiaOrder;
  readonly stateFolder: string;
  /** Called when the webhook has responded. */
  readonly onSent: (sent: SentOrder) => void;
}

/** `QUALIA_API_URL` for the pipeline, and the control API. */
export interface QualiaSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

/**
 * Simulates Qualia's GraphQL API (`docs/contracts/qualia.md`, section 2) with the given orders. An unknown order is
 * `data.order: null`.
 *
 * Own fault kinds: `graphql_error` (`code`, `message`), `not_found` (the GraphQL error `NOT_FOUND`), `null_order`.
 * Faults match on `operation` (`order` or `orders`) and `order_id`.
 *
 * Control routes besides the common ones: `POST /_control/orders` adds a list of orders, `GET|PUT /_control/orders/<id>`
 * reads and replaces one, `PATCH` changes some of its fields, all without a webhook. `PUT /_control/list` changes the
 * behaviour of the list of orders (see `listSchema`). `PUT /_control/webhook` registers a webhook (see `webhookSchema`).
 * `POST /_control/new-order` then creates an order like those of `newOrders`, and posts its notification.
 *
 * @example
 * const qualia = await startQualiaSimulator({ credentials: { username: 'u', password: 'p' }, orders: sampleOrders(300) });
 * // … POST qualia.url …
 * await qualia.stop();
 */
export const startQualiaSimulator = async (options: {
  readonly port?: number;
  readonly credentials: { readonly username: string; readonly password: string };
  readonly orders: Iterable<QualiaOrder>;
  /** Each response about an order has different bytes: a new task. */
  readonly answersDiffer?: boolean;
  readonly latencyMs?: number;
  readonly newOrders?: NewOrders;
}): Promise<QualiaSimulator> => {
  const orders = new Map<string, QualiaOrder>();
  const put = (order: QualiaOrder) => void orders.set(order._id, order);
  for (const order of options.orders) put(order);
  const newOrders = options.newOrders && openNewOrders(options.newOrders, orders);

  let list = listSchema.parse({});
  let answers = 0;
  const tasksOf = (order: QualiaOrder) => (options.answersDiffer ? [`Task ${++answers}`] : order.outstanding_tasks);
  const resolvers = {
    order: ({ _id }: { readonly _id: string }) => {
      const order = orders.get(_id);
      return order === undefined ? null : { order, outstanding_tasks: tasksOf(order) };
    },
    orders: ({ input }: { readonly input: OrdersInput }) => {
      const { ignores_offset, longest_page, completes_per_page } = list;
      const offset = ignores_offset ? 0 : input.offset;
      const listed = page([...orders.values()], { ...input, offset }, longest_page);
      for (const order of listed.orders.slice(0, completes_per_page)) {
        put({ ...order, status: 'Completed', status_details: { open: false, completed: true } });
      }
      return listed;
    },
  };

  const known = (id: string, answer: (order: QualiaOrder) => Reply): Reply => {
    const order = orders.get(id);
    return order === undefined ? { status: 404, body: { error: 'not_found' } } : answer(order);
  };

  const { origin, controlUrl, stop } = await startSimulator({
    port: options.port,
    latencyMs: options.latencyMs,
    admits: basic(options.credentials),
    facts: { operation: z.enum(['order', 'orders']), order_id: z.string() },
    read: ({ method, path, body }) => {
      if (path !== graphqlPath) return refusal(404, 'not_found');
      if (method !== 'POST') return refusal(405, 'method_not_allowed');
      const request = requestSchema.safeParse(parseJson(body));
      if (!request.success) return refusal(400, 'bad_request');
      const { operation, id, listsStatus, run } = readGraphqlRequest(request.data.query, request.data.variables ?? {});
      return {
        facts: id === undefined ? { operation } : { operation, order_id: id },
        answer: () => ({ status: 200, body: listsStatus && !list.status_fields ? noStatusField : run(resolvers) }),
      };
    },
    faultAnswers,
    control: {
      'PUT /list': checked(listSchema, (settings) => {
        list = settings;
        return { status: 200, body: list };
      }),
      'PUT /webhook': checked(webhookSchema, (webhook) => {
        newOrders?.register(webhook);
        return { status: 200, body: { url: webhook.url } };
      }),
      'POST /new-order': async () => {
        const sent = await newOrders?.send();
        return sent ? { status: 201, body: sent } : { status: 409, body: { error: 'no_webhook' } };
      },
      'POST /orders': checked(z.array(orderSchema), (added) => {
        added.forEach(put);
        return { status: 200, body: { orders: orders.size } };
      }),
      'GET /orders/:id': ({ id }) => known(id, (order) => ({ status: 200, body: order })),
      'PUT /orders/:id': checked(orderSchema, (order, id) => {
        put({ ...order, _id: id });
        return { status: 200, body: orders.get(id) };
      }),
      'PATCH /orders/:id': checked(z.record(z.string(), z.unknown()), (changes, id) =>
        known(id, (order) => {
          put({ ...order, ...changes, _id: id });
          return { status: 200, body: orders.get(id) };
        }),
      ),
    },
    ...(newOrders && { onStop: newOrders.close }),
  });
  return { url: `${origin}${graphqlPath}`, controlUrl, stop };
};

const openNewOrders = ({ content, stateFolder, onSent }: NewOrders, orders: Map<string, QualiaOrder>) => {
  const put = (order: QualiaOrder) => void orders.set(order._id, order);
  const journal = openJournal(join(stateFolder, 'qualia-orders.ndjson'), orderSchema, put);
  let webhook: RegisteredWebhook | undefined;
  let sent = 0;
  let newestNumber = 0;
  return {
    register: (registered: RegisteredWebhook): void => {
      webhook = registered;
    },
    /** @returns undefined if no webhook is registered */
    send: async (): Promise<SentOrder | undefined> => {
      if (webhook === undefined) return undefined;
      newestNumber = Math.max(newestNumber + 1, Date.now());
      const order = { ...content(sent++), _id: `QO-${newestNumber}`, order_number: `MKT-${newestNumber}` };
      journal.append(order);
      put(order);
      const notified = await notifyOfNewOrder(webhook, order._id);
      onSent(notified);
      return notified;
    },
    close: journal.close,
  };
};

const refusal = (status: number, error: string) => ({ facts: {}, answer: () => ({ status, body: { error } }) });

const noStatusField = {
  errors: [
    {
      message: 'Cannot query field "status" on type "Order".',
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    },
  ],
};

const graphqlError =
  (defaultCode: string, defaultMessage: string): FaultAnswer =>
  ({ code = defaultCode, message = defaultMessage, status = 200 }) => ({
    status,
    body: { errors: [{ message, path: ['order'], extensions: { code } }], data: { order: null } },
  });

const faultAnswers: Record<string, FaultAnswer> = {
  graphql_error: graphqlError('INTERNAL_SERVER_ERROR', 'Something went wrong'),
  not_found: graphqlError('NOT_FOUND', 'Order not found'),
  null_order: () => ({ status: 200, body: { data: { order: null } } }),
};

interface OrdersInput {
  readonly status?: string | null;
  readonly limit: number;
  readonly offset: number;
}

const page = (orders: QualiaOrder[], { status, limit, offset }: OrdersInput, longestPage: number) => {
  if (limit < 1 || limit > largestPage || offset < 0) {
    throw new GraphQLError(`limit must be 1 to ${largestPage}, offset at least 0`, {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  const listed = status == null ? orders : orders.filter((order) => hasStatus(order, snakeCase(status)));
  return { orders: listed.slice(offset, offset + Math.min(limit, longestPage)), total: listed.length };
};

const hasStatus = ({ status, status_details }: QualiaOrder, wanted: string): boolean =>
  (typeof status === 'string' && snakeCase(status) === wanted) ||
  (typeof status_details === 'object' &&
    status_details !== null &&
    (status_details as Record<string, unknown>)[wanted] === true);

const snakeCase = (text: string): string => text.trim().toLowerCase().replaceAll(/\s+/g, '_');

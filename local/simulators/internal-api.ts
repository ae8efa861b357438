import { join } from 'node:path';
import * as z from 'zod';
import type { Reply } from './faults';
import { internalOrderSchema } from './internal-order';
import { openJournal, type Position } from './journal';
import { type Arrival, bearer, checked, parseJson, startSimulator, validationFailed } from './simulator';

const ordersPath = '/orders';

const headersSchema = z.object({
  'idempotency-key': z.string().regex(/^.+:[0-9a-f]{32}$/, 'must be <order id>:<32 hex digits>'),
  'x-request-id': z.string().min(1),
  'x-order-round': z.string().min(1),
});

/** Created once: to create a schema takes many times as long as to check a post with it. */
const postSchema = z.object({ headers: headersSchema, body: internalOrderSchema });

const entrySchema = z.object({
  at: z.iso.datetime(),
  outcome: z.enum(['taken', 'duplicate', 'older_round', 'invalid']),
  order_id: z.string().optional(),
  external_order_id: z.string().optional(),
  round: z.string().optional(),
  idempotency_key: z.string().optional(),
  request_id: z.string().optional(),
  /** The posted body; omitted for a duplicate, whose body is in an earlier entry. */
  body: z.unknown().optional(),
});

/** A post in the journal. */
type Entry = z.infer<typeof entrySchema>;

interface OrderRecord {
  readonly posts: Omit<Entry, 'body'>[];
  newestRound: string;
  newestBody: Position;
}

/** `INTERNAL_API_URL` for the pipeline, and the control API. */
export interface InternalApiSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

/**
 * Simulates the internal API (`docs/contracts/internal-api.md`): 201 for an order, 409 for a known idempotency key, 422
 * with every fault for an order or headers that break the contract, and with `refuseOlderRounds` 412 for a round older
 * than its newest. Posts are written to `<stateFolder>/internal-api.ndjson` before the response, and read at the start.
 *
 * Faults match on `order_id`, `external_order_id` and `idempotency_key`.
 *
 * Control routes besides the common ones:
 * - `GET /_control/orders`: `posts` (accepted), `distinct_orders`, `posted_again` (order id → posts, if
 *   more than one), `duplicates`, `older_rounds`, `invalid`.
 * - `POST /_control/counts` with a list of Qualia's ids: the first three, of these orders only.
 * - `GET /_control/orders/<Qualia's id or the order number>`: all posts of the order, and the newest body.
 * - `PUT /_control/refuse-older-rounds`: `true` or `false`.
 *
 * @throws if the journal cannot be read
 */
export const startInternalApiSimulator = async (options: {
  readonly port?: number;
  readonly credentials: { readonly token: string };
  readonly stateFolder: string;
  readonly refuseOlderRounds?: boolean;
  readonly latencyMs?: number;
}): Promise<InternalApiSimulator> => {
  const orders = new Map<string, OrderRecord>();
  const orderIdsByNumber = new Map<string, string>();
  const postedAgain = new Map<string, number>();
  const keys = new Set<string>();
  const counts = { taken: 0, duplicate: 0, older_round: 0, invalid: 0 };
  let refuseOlderRounds = options.refuseOlderRounds ?? false;

  const remember = ({ body: _body, ...post }: Entry, position: Position) => {
    counts[post.outcome] += 1;
    const { order_id, external_order_id, round = '', idempotency_key } = post;
    if (order_id === undefined || post.outcome === 'invalid') return;
    const known = orders.get(order_id);
    known?.posts.push(post);
    if (post.outcome !== 'taken') return;
    if (idempotency_key !== undefined) keys.add(idempotency_key);
    if (external_order_id !== undefined) orderIdsByNumber.set(external_order_id, order_id);
    // As in most APIs, the last POST wins, regardless of its round.
    if (known === undefined) orders.set(order_id, { posts: [post], newestRound: round, newestBody: position });
    else {
      postedAgain.set(order_id, (postedAgain.get(order_id) ?? 1) + 1);
      known.newestBody = position;
      if (round > known.newestRound) known.newestRound = round;
    }
  };

  const journal = openJournal(join(options.stateFolder, 'internal-api.ndjson'), entrySchema, remember);
  const record = (entry: Omit<Entry, 'at'>) => {
    const dated = { at: new Date().toISOString(), ...entry };
    remember(dated, journal.append(dated));
  };

  const receive = (body: unknown, headers: Arrival['headers']): Reply => {
    const parsed = postSchema.safeParse({ headers, body });
    if (!parsed.success) {
      record({ outcome: 'invalid', body });
      return validationFailed(parsed.error);
    }
    const order = parsed.data.body;
    const entry = {
      order_id: order.qualiaOrderId,
      external_order_id: order.externalOrderId,
      round: parsed.data.headers['x-order-round'],
      idempotency_key: parsed.data.headers['idempotency-key'],
      request_id: parsed.data.headers['x-request-id'],
    };
    if (keys.has(entry.idempotency_key)) {
      record({ outcome: 'duplicate', ...entry });
      return { status: 409, body: { error: 'known_idempotency_key' } };
    }
    if (refuseOlderRounds && entry.round < (orders.get(entry.order_id)?.newestRound ?? '')) {
      record({ outcome: 'older_round', ...entry });
      return { status: 412, body: { error: 'older_round' } };
    }
    record({ outcome: 'taken', ...entry, body });
    return { status: 201, body: { id: entry.external_order_id, status: 'accepted' } };
  };

  const { origin, controlUrl, stop } = await startSimulator({
    port: options.port,
    latencyMs: options.latencyMs,
    admits: bearer(options.credentials),
    facts: { order_id: z.string(), external_order_id: z.string(), idempotency_key: z.string() },
    read: ({ method, path, headers, body }) => {
      if (path !== ordersPath) return refusal(404, 'not_found');
      if (method !== 'POST') return refusal(405, 'method_not_allowed');
      if (!headers['content-type']?.startsWith('application/json')) return refusal(415, 'unsupported_media_type');
      const json = parseJson(body);
      if (json === undefined) return refusal(400, 'invalid_json');
      return { facts: factsOf(json, headers), answer: () => receive(json, headers) };
    },
    control: {
      'GET /orders': () => ({
        status: 200,
        body: {
          posts: counts.taken,
          distinct_orders: orders.size,
          posted_again: Object.fromEntries(postedAgain),
          duplicates: counts.duplicate,
          older_rounds: counts.older_round,
          invalid: counts.invalid,
        },
      }),
      'POST /counts': checked(z.array(z.string()), (orderIds) => {
        const posts = orderIds.filter((id) => orders.has(id)).map((id) => [id, postedAgain.get(id) ?? 1] as const);
        return {
          status: 200,
          body: {
            posts: posts.reduce((sum, [, count]) => sum + count, 0),
            distinct_orders: posts.length,
            posted_again: Object.fromEntries(posts.filter(([, count]) => count > 1)),
          },
        };
      }),
      'GET /orders/:id': ({ id }) => {
        const orderId = orders.has(id) ? id : orderIdsByNumber.get(id);
        const order = orderId === undefined ? undefined : orders.get(orderId);
        if (order === undefined) return { status: 404, body: { error: 'not_found' } };
        const { body } = journal.read(order.newestBody);
        return { status: 200, body: { order_id: orderId, newest_round: order.newestRound, posts: order.posts, body } };
      },
      'PUT /refuse-older-rounds': checked(z.boolean(), (refuse) => {
        refuseOlderRounds = refuse;
        return { status: 200, body: refuse };
      }),
    },
    onStop: journal.close,
  }).catch((error: unknown) => {
    journal.close();
    throw error;
  });
  return { url: `${origin}${ordersPath}`, controlUrl, stop };
};

const refusal = (status: number, error: string) => ({ facts: {}, answer: () => ({ status, body: { error } }) });

const factsSchema = z.object({ qualiaOrderId: z.string().catch(''), externalOrderId: z.string().catch('') });

const factsOf = (body: unknown, headers: Arrival['headers']) => {
  const ids = factsSchema.safeParse(body).data;
  return {
    order_id: ids?.qualiaOrderId ?? '',
    external_order_id: ids?.externalOrderId ?? '',
    idempotency_key: String(headers['idempotency-key'] ?? ''),
  };
};

import type { Message } from '@aws-sdk/client-sqs';
import type { Fault } from '../../../local/simulators/faults';
import { mapOrder } from '../../../shared/internal-api/mapping';
import type { Order, OrderId, RequestId, WorkerName } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import { type Crash, runBefore } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';
import { isReachable } from './progress';

export const orderIds = ['QO-1', 'QO-2'] as const;
export type Id = (typeof orderIds)[number];

/** Contents of an order at Qualia: only a few, so that they recur. `unmappable` has an unknown state. */
export type Content = 'A' | 'B' | 'C' | 'unmappable';

/** The precision of a notification's timestamp. */
export type Precision = 'microsecond' | 'millisecond' | 'second' | 'minute';

/** The faults of an API while one batch is handled. */
export type FaultKind = 'none' | 'temporary' | 'outage' | 'lost responses' | 'permanent';

/** What the test expects of one order. */
interface ExpectedOrder {
  content: Content;
  /** Whether the newest content has a webhook. */
  isAnnounced: boolean;
  /** Whether a round was ever started. */
  hasRound: boolean;
  lastSeen: Order | undefined;
}

/** The pipeline under test, and what the test knows about its senders and orders. */
export interface World {
  readonly pipeline: Pipeline;
  readonly orders: Readonly<Record<Id, ExpectedOrder>>;
  /** Webhooks that were sent. They can be repeated. */
  readonly sent: object[];
  /** Webhooks that are late, or got a 500 and will be retried. */
  readonly pending: { readonly id: Id; readonly body: object; readonly content: Content }[];
  /** Every received message. They can be duplicated later. */
  readonly received: Record<WorkerName, string[]>;
  /** Number of the current release. Each has another mapping. */
  release: number;
}

const faultsOf: Record<WorkerName, Record<FaultKind, Omit<Fault, 'match'>[]>> = {
  download: {
    none: [],
    temporary: [{ kind: 'hang_up', times: 2 }],
    outage: [{ kind: 'server_error' }],
    'lost responses': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'null_order' }],
  },
  processing: {
    none: [],
    temporary: [{ kind: 'lost_answer', times: 1 }],
    outage: [{ kind: 'server_error' }],
    'lost responses': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'client_error', status: 422 }],
  },
};

/** Small, so that messages often reach their last receive. */
const maxReceiveCount = 2;

const newOrder = (): ExpectedOrder => ({ content: 'A', isAnnounced: true, hasRound: false, lastSeen: undefined });

export const startWorld = async (): Promise<World> => {
  const pipeline = await startPipeline({ maxReceiveCount });
  await pipeline.qualia.add(
    ...orderIds.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}`, purpose: 'A', status: 'open' })),
  );
  return {
    pipeline,
    orders: { 'QO-1': newOrder(), 'QO-2': newOrder() },
    sent: [],
    pending: [],
    received: { download: [], processing: [] },
    release: 1,
  };
};

/** Checks that no order has moved backwards since the previous check. */
export const expectForwardProgress = async ({ pipeline, orders }: World): Promise<void> => {
  for (const id of orderIds) {
    const order = await pipeline.repository.read(id as string as OrderId);
    const { lastSeen } = orders[id];
    if (!isReachable(lastSeen, order)) {
      throw new Error(`${id} went from ${JSON.stringify(lastSeen)} to ${JSON.stringify(order)}`);
    }
    orders[id].lastSeen = order;
  }
};

const formatTime: Readonly<Record<Precision, (ms: number) => string>> = {
  microsecond: (ms) => `${new Date(ms).toISOString().slice(0, -1)}123Z`,
  millisecond: (ms) => new Date(ms).toISOString(),
  second: (ms) => `${new Date(ms).toISOString().slice(0, 19)}+00:00`,
  minute: (ms) => `${new Date(ms).toISOString().slice(0, 16)}Z`,
};

export interface ChangePlan {
  readonly id: Id;
  readonly content: Content;
  /** Time since the previous event. */
  readonly elapsedMs: number;
  readonly precision: Precision;
  /** How far the sender's clock is ahead of ours. */
  readonly clockErrorMs: number;
  readonly webhook: 'notification' | 'activity' | 'late' | 'lost';
  readonly enqueueFails: boolean;
}

const post = async (world: World, id: Id, body: object, enqueueFails: boolean): Promise<void> => {
  const { pipeline, orders, pending } = world;
  const { content } = orders[id];
  const response = await pipeline.post(body, {
    interceptor: <T>(call: string, make: () => Promise<T>): Promise<T> =>
      enqueueFails && call === 'SendMessage' ? Promise.reject(new Error('No response')) : make(),
  });
  if (response === 'crashed') throw new Error('The webhook crashed');
  world.sent.push(body);
  if (response.statusCode !== 200) {
    pending.push({ id, body, content });
    return;
  }
  orders[id].hasRound = true;
};

/** Changes an order at Qualia, with a webhook that arrives now, later or never. */
export const change = async (world: World, plan: ChangePlan): Promise<void> => {
  const { pipeline, orders, pending } = world;
  const { id, content, precision, clockErrorMs, webhook, enqueueFails } = plan;
  const changedAtMs = pipeline.advance(plan.elapsedMs);
  const properties = [{ city: 'Fresno', state: content === 'unmappable' ? 'ZZ' : 'CA' }];
  await pipeline.qualia.change(id, { purpose: content, properties });
  Object.assign(orders[id], { content, isAnnounced: webhook !== 'lost' });
  const timestamp = formatTime[precision](changedAtMs + clockErrorMs);
  const body =
    webhook === 'activity'
      ? activity({ order_id: id })
      : notification({ order_id: id, notification_type: 'order.updated', timestamp });
  if (webhook === 'late') pending.push({ id, body, content });
  else if (webhook !== 'lost') await post(world, id, body, enqueueFails);
};

/** Sends a late webhook, or retries one. */
export const sendPending = async (world: World, index: number): Promise<void> => {
  const { pending } = world;
  const [next] = pending.splice(index % Math.max(1, pending.length), 1);
  if (next !== undefined) await post(world, next.id, next.body, false);
};

/** Sends a webhook again. */
export const repeat = async ({ pipeline, sent }: World, index: number): Promise<void> => {
  const body = sent[index % Math.max(1, sent.length)];
  if (body !== undefined) await pipeline.post(body);
};

export interface DeliveryPlan {
  readonly worker: WorkerName;
  /** At most two: more could open the circuit before each of them has been attempted. */
  readonly max: 1 | 2;
  readonly faultKinds: Readonly<Record<Id, FaultKind>>;
  readonly crash: Crash | undefined;
  readonly deletionLost: boolean;
  /** A change that is downloaded and processed just before this batch posts. */
  readonly overtakenBy: ChangePlan | undefined;
}

const receive = async ({ pipeline, received }: World, worker: WorkerName, max: number): Promise<Message[]> => {
  const messages = await pipeline.receive(worker, max);
  received[worker].push(...messages.map(({ Body = '' }) => Body));
  return messages;
};

/** Delivers one batch. @returns the number of its messages */
export const deliver = async (world: World, plan: DeliveryPlan): Promise<number> => {
  const { pipeline } = world;
  const { worker, faultKinds, crash, deletionLost, overtakenBy } = plan;
  const messages = await receive(world, worker, crash === undefined ? plan.max : 1);
  if (messages.length === 0) return 0;
  const api = worker === 'download' ? pipeline.qualia : pipeline.internalApi;
  await api.setFaults(
    ...orderIds.flatMap((order_id) =>
      faultsOf[worker][faultKinds[order_id]].map((fault) => ({ ...fault, match: { order_id } })),
    ),
  );
  const overtake = async (): Promise<void> => {
    if (overtakenBy === undefined) return;
    await change(world, overtakenBy);
    for (const each of ['download', 'processing'] as const) {
      const others = await receive(world, each, 10);
      if (others.length > 0) await pipeline.handle(each, others);
    }
  };
  const interceptor = overtakenBy && runBefore('postOrder', overtake);
  await pipeline.handle(worker, messages, {
    deletionLost,
    ...(crash && { crash }),
    ...(interceptor && { interceptor }),
  });
  await api.setFaults();
  return messages.length;
};

/** Replays an order like an operator. */
export const replay = async (world: World, id: Id, kind: 'from Qualia' | 'from raw' | 'force'): Promise<void> => {
  const { pipeline, orders } = world;
  const orderId = id as string as OrderId;
  const request = { orderId, requestId: crypto.randomUUID() as string as RequestId, notificationType: 'replay' };
  const order = await pipeline.repository.read(orderId);
  if (kind !== 'from raw') {
    await pipeline.lambdas.startRound({ ...request, force: kind === 'force' });
    orders[id].hasRound = true;
    // The new round downloads the newest content.
    orders[id].isAnnounced = true;
  } else if (order?.status === 'PROCESSED') {
    const payload = { s3Key: order.s3_key, checksum: order.checksum, sizeBytes: order.payload_size };
    await pipeline.lambdas.startStoredRound({ ...request, after: order.round, payload });
  }
};

const hourMs = 3_600_000;

/** Runs the reconciler's next pass, an hour later. */
export const reconcile = async ({ pipeline }: World): Promise<void> => {
  pipeline.advance(hourMs);
  await pipeline.reconcile();
};

/** Deploys a release with another mapping. */
export const deploy = (world: World): void => {
  const release = ++world.release;
  world.pipeline.changeMapping((source) => {
    const mapping = mapOrder(source);
    if (mapping.kind !== 'mapped') return mapping;
    return { ...mapping, order: { ...mapping.order, purpose: `${mapping.order.purpose} as of release ${release}` } };
  });
};

/** A delivery without faults. */
export const normalDelivery = {
  max: 2,
  faultKinds: { 'QO-1': 'none', 'QO-2': 'none' },
  crash: undefined,
  deletionLost: false,
} as const;

/** Delivers and redrives until no message is left. */
const drainAndRedrive = async (world: World): Promise<void> => {
  const { pipeline } = world;
  let left: number;
  do {
    left = 0;
    for (const worker of ['download', 'processing'] as const) {
      await pipeline.redrive(worker);
      left += await deliver(world, { ...normalDelivery, worker, overtakenBy: undefined });
      left += (await pipeline.deadLetters(worker)).length;
    }
    await expectForwardProgress(world);
  } while (left > 0);
};

/** The idempotency keys of an order's accepted POSTs, in sequence, and the newest purpose. */
const acceptedPosts = async ({ pipeline }: World, id: Id) => {
  const { posts, body } = await pipeline.internalApi.postsOf(id);
  const accepted = posts.filter(({ outcome }) => outcome === 'taken');
  return { purpose: body.purpose, keys: accepted.map(({ idempotency_key }) => idempotency_key) };
};

/**
 * Delivers everything that is pending, and compares the internal API with Qualia, twice:
 *
 * 1. At once: every change with a webhook has arrived, mapped by any release, or the order is FAILED.
 * 2. After a day of passes, after failed orders were replayed and all orders were mapped again: every order has Qualia's
 *    content, mapped by the newest release.
 */
export const expectNewestState = async (world: World): Promise<void> => {
  const { orders, pending, release } = world;
  while (pending.length > 0) await sendPending(world, 0);
  await drainAndRedrive(world);
  for (const id of orderIds) {
    const { content, isAnnounced, hasRound, lastSeen } = orders[id];
    if (!hasRound) continue;
    expect(['PROCESSED', 'FAILED']).toContain(lastSeen?.status);
    if (!isAnnounced || lastSeen?.status === 'FAILED') continue;
    expect({ id, purpose: (await acceptedPosts(world, id)).purpose?.split(' ')[0] }).toEqual({ id, purpose: content });
  }

  // The passes of a day check every open order, also those without a webhook.
  for (let passes = 0; passes < 26; passes++) {
    await reconcile(world);
    await drainAndRedrive(world);
  }
  for (const id of orderIds) if (orders[id].lastSeen?.status === 'FAILED') await replay(world, id, 'from Qualia');
  await drainAndRedrive(world);
  for (const id of orderIds) await replay(world, id, 'from raw');
  await drainAndRedrive(world);
  for (const id of orderIds) {
    const { content, lastSeen } = orders[id];
    if (content === 'unmappable') {
      expect(lastSeen).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_STATE' } });
      continue;
    }
    const { purpose, keys } = await acceptedPosts(world, id);
    expect({ id, purpose }).toEqual({ id, purpose: release === 1 ? content : `${content} as of release ${release}` });
    expect(new Set(keys).size).toBe(keys.length);
  }
};

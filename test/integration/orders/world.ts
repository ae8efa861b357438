import type { Message } from '@aws-sdk/client-sqs';
import type { Fault } from '../../../local/simulators/faults';
import { mapOrder } from '../../../shared/internal-api/mapping';
import type { Order, OrderId, RequestId } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import { type Death, justBefore } from '../support/outside';
import { type Pipeline, type StageName, startPipeline } from '../support/pipeline';
import { mayFollow } from './standing';

export const orderIds = ['QO-1', 'QO-2'] as const;
export type Id = (typeof orderIds)[number];

/** Contents of an order at Qualia. They are few, so that they recur often. `unmappable` has an unknown state. */
export type Content = 'A' | 'B' | 'C' | 'unmappable';

/** How a sender writes the time of an event. */
export type Precision = 'microsecond' | 'millisecond' | 'second' | 'minute';

/** How an API behaves while one batch is handled. */
export type Trouble = 'none' | 'passing' | 'lasting' | 'lost responses' | 'permanent';

interface Known {
  content: Content;
  /** Whether the newest content was announced by a webhook that was answered with 200. */
  isAnnounced: boolean;
  /** Whether anything was ever announced. */
  isHeard: boolean;
  seenLast: Order | undefined;
}

/** The pipeline under test and the state of its surroundings. */
export interface World {
  readonly pipeline: Pipeline;
  readonly orders: Readonly<Record<Id, Known>>;
  /** Webhooks that were sent, for repeats. */
  readonly sent: object[];
  /** Webhooks that have not been sent yet, or were answered with 500: their sender tries again. */
  readonly pending: { readonly id: Id; readonly body: object; readonly content: Content }[];
  /** Every message that was ever received, for late duplicates. */
  readonly received: Record<StageName, string[]>;
  /** Which release maps orders. */
  release: number;
}

const faultsOf: Record<StageName, Record<Trouble, Omit<Fault, 'match'>[]>> = {
  download: {
    none: [],
    passing: [{ kind: 'hang_up', times: 2 }],
    lasting: [{ kind: 'server_error' }],
    'lost responses': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'null_order' }],
  },
  processing: {
    none: [],
    passing: [{ kind: 'lost_answer', times: 1 }],
    lasting: [{ kind: 'server_error' }],
    'lost responses': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'client_error', status: 422 }],
  },
};

/** Few, so that messages run out of receives often. */
const maxReceiveCount = 2;

const newOrder = (): Known => ({ content: 'A', isAnnounced: true, isHeard: false, seenLast: undefined });

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

/** Checks that no order moved backwards since the last look. */
export const look = async ({ pipeline, orders }: World): Promise<void> => {
  for (const id of orderIds) {
    const order = await pipeline.repository.read(id as string as OrderId);
    const { seenLast } = orders[id];
    if (!mayFollow(seenLast, order)) {
      throw new Error(`${id} went from ${JSON.stringify(seenLast)} to ${JSON.stringify(order)}`);
    }
    orders[id].seenLast = order;
  }
};

const written: Readonly<Record<Precision, (ms: number) => string>> = {
  microsecond: (ms) => `${new Date(ms).toISOString().slice(0, -1)}123Z`,
  millisecond: (ms) => new Date(ms).toISOString(),
  second: (ms) => `${new Date(ms).toISOString().slice(0, 19)}+00:00`,
  minute: (ms) => `${new Date(ms).toISOString().slice(0, 16)}Z`,
};

export interface ChangePlan {
  readonly id: Id;
  readonly content: Content;
  /** How long after the last event. */
  readonly passMs: number;
  readonly precision: Precision;
  /** The sender's clock against ours. */
  readonly clockErrorMs: number;
  readonly webhook: 'notification' | 'activity' | 'late' | 'lost';
  readonly enqueueFails: boolean;
}

const post = async (world: World, id: Id, body: object, enqueueFails: boolean): Promise<void> => {
  const { pipeline, orders, pending } = world;
  const { content } = orders[id];
  const answer = await pipeline.post(body, {
    outside: <T>(call: string, make: () => Promise<T>): Promise<T> =>
      enqueueFails && call === 'SendMessage' ? Promise.reject(new Error('No response')) : make(),
  });
  if (answer === 'died') throw new Error('The webhook died');
  world.sent.push(body);
  if (answer.statusCode !== 200) {
    pending.push({ id, body, content });
    return;
  }
  orders[id].isHeard = true;
};

/** Qualia's order changes, and its sender says so, or not. */
export const change = async (world: World, plan: ChangePlan): Promise<void> => {
  const { pipeline, orders, pending } = world;
  const { id, content, precision, clockErrorMs, webhook, enqueueFails } = plan;
  const happenedMs = pipeline.pass(plan.passMs);
  const properties = [{ city: 'Fresno', state: content === 'unmappable' ? 'ZZ' : 'CA' }];
  await pipeline.qualia.change(id, { purpose: content, properties });
  Object.assign(orders[id], { content, isAnnounced: webhook !== 'lost' });
  const timestamp = written[precision](happenedMs + clockErrorMs);
  const body =
    webhook === 'activity'
      ? activity({ order_id: id })
      : notification({ order_id: id, notification_type: 'order.updated', timestamp });
  if (webhook === 'late') pending.push({ id, body, content });
  else if (webhook !== 'lost') await post(world, id, body, enqueueFails);
};

/** A late webhook arrives, or a sender tries again. */
export const sendPending = async (world: World, index: number): Promise<void> => {
  const { pending } = world;
  const [next] = pending.splice(index % Math.max(1, pending.length), 1);
  if (next !== undefined) await post(world, next.id, next.body, false);
};

/** A webhook that was sent before arrives once more. */
export const repeat = async ({ pipeline, sent }: World, index: number): Promise<void> => {
  const body = sent[index % Math.max(1, sent.length)];
  if (body !== undefined) await pipeline.post(body);
};

export interface DeliveryPlan {
  readonly stage: StageName;
  /** Two at most: their attempts cannot open the circuit before each had one. */
  readonly max: 1 | 2;
  readonly troubles: Readonly<Record<Id, Trouble>>;
  readonly death: Death | undefined;
  readonly deletionLost: boolean;
  /** A change that is announced, downloaded and processed while this batch is about to post. */
  readonly overtakenBy: ChangePlan | undefined;
}

const receive = async ({ pipeline, received }: World, stage: StageName, max: number): Promise<Message[]> => {
  const messages = await pipeline.receive(stage, max);
  received[stage].push(...messages.map(({ Body = '' }) => Body));
  return messages;
};

/** Delivers one batch. Returns the number of its messages. */
export const deliver = async (world: World, plan: DeliveryPlan): Promise<number> => {
  const { pipeline } = world;
  const { stage, troubles, death, deletionLost, overtakenBy } = plan;
  const messages = await receive(world, stage, death === undefined ? plan.max : 1);
  if (messages.length === 0) return 0;
  const api = stage === 'download' ? pipeline.qualia : pipeline.internalApi;
  await api.setFaults(
    ...orderIds.flatMap((order_id) =>
      faultsOf[stage][troubles[order_id]].map((fault) => ({ ...fault, match: { order_id } })),
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
  const outside = overtakenBy && justBefore('postOrder', overtake);
  await pipeline.handle(stage, messages, { deletionLost, ...(death && { death }), ...(outside && { outside }) });
  await api.setFaults();
  return messages.length;
};

/** An operator or the reconciler has the order processed again. */
export const replay = async (world: World, id: Id, meaning: 'from Qualia' | 'from raw' | 'force'): Promise<void> => {
  const { pipeline, orders } = world;
  const orderId = id as string as OrderId;
  const request = { orderId, requestId: crypto.randomUUID() as string as RequestId, notificationType: 'replay' };
  const order = await pipeline.repository.read(orderId);
  if (meaning !== 'from raw') {
    await pipeline.lambdas.startRound({ ...request, force: meaning === 'force' });
    orders[id].isHeard = true;
    // The new round downloads whatever Qualia has by then.
    orders[id].isAnnounced = true;
  } else if (order?.status === 'PROCESSED') {
    const payload = { s3Key: order.s3_key, checksum: order.checksum, sizeBytes: order.payload_size };
    await pipeline.lambdas.startStoredRound({ ...request, after: order.round, payload });
  }
};

const hourMs = 3_600_000;

/** The reconciler's next pass, an hour later. */
export const reconcile = async ({ pipeline }: World): Promise<void> => {
  pipeline.pass(hourMs);
  await pipeline.reconcile();
};

/** A release changes the mapping. */
export const deploy = (world: World): void => {
  const release = ++world.release;
  world.pipeline.changeMapping((source) => {
    const mapping = mapOrder(source);
    if (mapping.kind !== 'mapped') return mapping;
    return { ...mapping, order: { ...mapping.order, purpose: `${mapping.order.purpose} as of release ${release}` } };
  });
};

const calm = { max: 2, troubles: { 'QO-1': 'none', 'QO-2': 'none' }, death: undefined, deletionLost: false } as const;

/** Delivers and redrives until every message has reached its end. */
const settle = async (world: World): Promise<void> => {
  const { pipeline } = world;
  let left: number;
  do {
    left = 0;
    for (const stage of ['download', 'processing'] as const) {
      await pipeline.redrive(stage);
      left += await deliver(world, { ...calm, stage, overtakenBy: undefined });
      left += (await pipeline.deadLetters(stage)).length;
    }
    await look(world);
  } while (left > 0);
};

/** The bodies that the internal API accepted of an order, in the order of their arrival, and the newest one. */
const heldOf = async ({ pipeline }: World, id: Id) => {
  const { posts, body } = await pipeline.internalApi.postsOf(id);
  const taken = posts.filter(({ outcome }) => outcome === 'taken');
  return { purpose: body.purpose, keys: taken.map(({ idempotency_key }) => idempotency_key) };
};

/**
 * Comes to rest and holds the internal API against Qualia.
 *
 * First without any help: every change that was announced has arrived, as some release mapped it, or the order is
 * visibly FAILED. Then after the reconciler's passes of a day, and after what an operator does (replay what failed, post
 * again what a release maps differently), everything is as Qualia has it.
 */
export const expectNewestState = async (world: World): Promise<void> => {
  const { orders, pending, release } = world;
  while (pending.length > 0) await sendPending(world, 0);
  await settle(world);
  for (const id of orderIds) {
    const { content, isAnnounced, isHeard, seenLast } = orders[id];
    if (!isHeard) continue;
    expect(['PROCESSED', 'FAILED']).toContain(seenLast?.status);
    if (!isAnnounced || seenLast?.status === 'FAILED') continue;
    expect({ id, purpose: (await heldOf(world, id)).purpose?.split(' ')[0] }).toEqual({ id, purpose: content });
  }

  // Every open order is checked within a day, announced or not.
  for (let passes = 0; passes < 26; passes++) {
    await reconcile(world);
    await settle(world);
  }
  for (const id of orderIds) if (orders[id].seenLast?.status === 'FAILED') await replay(world, id, 'from Qualia');
  await settle(world);
  for (const id of orderIds) await replay(world, id, 'from raw');
  await settle(world);
  for (const id of orderIds) {
    const { content, seenLast } = orders[id];
    if (content === 'unmappable') {
      expect(seenLast).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_STATE' } });
      continue;
    }
    const { purpose, keys } = await heldOf(world, id);
    expect({ id, purpose }).toEqual({ id, purpose: release === 1 ? content : `${content} as of release ${release}` });
    expect(new Set(keys).size).toBe(keys.length);
  }
};

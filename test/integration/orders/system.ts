import type { Message } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Fault } from '../../../local/simulators/faults';
import type { OrderId } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import type { Death } from '../support/outside';
import { type Pipeline, type StageName, startPipeline } from '../support/pipeline';
import {
  begin,
  download,
  type ModelOrder,
  mayFollow,
  newOrder,
  process,
  type Standing,
  type Status,
  type Trouble,
} from './model';

const messageSchema = z.object({ order_id: z.string(), round: z.string() });
const payloadSchema = z.object({ data: z.object({ order: z.object({ order: z.object({ purpose: z.string() }) }) }) });

/** What every order is compared with after each command. */
export type Model = ReadonlyMap<string, ModelOrder>;

/** The pipeline under test, and what the test has to remember of it. */
export interface System {
  readonly pipeline: Pipeline;
  /** Every message that was ever received, for late duplicates. */
  readonly seen: Record<StageName, string[]>;
  /** Webhooks that were answered 500: their sender tries again. */
  readonly owed: (() => Promise<void>)[];
  readonly standings: Map<string, Standing>;
}

export const orderIds = ['QO-1', 'QO-2'] as const;
export type Id = (typeof orderIds)[number];

const faultsOf: Record<StageName, Record<Trouble, Omit<Fault, 'match'>[]>> = {
  download: {
    none: [],
    passing: [{ kind: 'hang_up', times: 2 }],
    lasting: [{ kind: 'server_error' }],
    'lost answers': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'null_order' }],
  },
  processing: {
    none: [],
    passing: [{ kind: 'lost_answer', times: 1 }],
    lasting: [{ kind: 'server_error' }],
    'lost answers': [{ kind: 'lost_answer' }],
    permanent: [{ kind: 'client_error', status: 422 }],
  },
};

/** Few, so that messages run out of receives often. */
const maxReceiveCount = 2;

export const startSystem = async (): Promise<{ model: Model; real: System }> => {
  const pipeline = await startPipeline({ maxReceiveCount });
  await pipeline.qualia.add(
    ...orderIds.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}`, purpose: 'version 0' })),
  );
  return {
    model: new Map(orderIds.map((id) => [id, newOrder(id)])),
    real: { pipeline, seen: { download: [], processing: [] }, owed: [], standings: new Map() },
  };
};

export const orderIn = (model: Model, id: string): ModelOrder => {
  const order = model.get(id);
  if (order === undefined) throw new Error(`The model has no order ${id}`);
  return order;
};

const observe = async ({ pipeline }: System, id: string) => {
  const order = await pipeline.repository.read(id as OrderId);
  const exhausted = order?.status === 'FAILED' && order.error.code === 'RETRIES_EXHAUSTED';
  const status: Status | undefined = exhausted ? 'EXHAUSTED' : order?.status;
  return { round: order?.round as string | undefined, status, effects: await pipeline.internalApi.effectsOf(id) };
};

const expectation = ({ round, status, taken }: ModelOrder) => ({ round, status, effects: taken.size });

/** Compares an order with what may have become of it, and keeps the one that did. */
const settleOn = async (model: Model, real: System, candidates: readonly ModelOrder[]): Promise<void> => {
  const [{ id } = newOrder('')] = candidates;
  const actual = await observe(real, id);
  const before = real.standings.get(id);
  if (before !== undefined && !mayFollow(before, actual))
    throw new Error(`${id} went from ${JSON.stringify(before)} to ${JSON.stringify(actual)}`);
  real.standings.set(id, actual);
  const happened = candidates.find((candidate) => isEqual(expectation(candidate), actual));
  if (happened === undefined) expect({ id, ...actual }).toEqual({ id, ...expectation(candidates[0] ?? newOrder(id)) });
  else Object.assign(orderIn(model, id), happened);
};

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const roundAt = (ms: number, tail: string): string => `${String(ms).padStart(15, '0')}-${tail}`;

/** Qualia's order changes, into one that can be mapped or not. */
export const change = async (model: Model, { pipeline }: System, id: Id, mappable: boolean): Promise<void> => {
  const order = orderIn(model, id);
  order.version++;
  if (!mappable) order.unmappable.add(order.version);
  const properties = [{ city: 'Fresno', state: mappable ? 'CA' : 'ZZ' }];
  await pipeline.qualia.change(id, { purpose: `version ${order.version}`, properties });
};

const outsideOf = (enqueueFails: boolean) => ({
  outside: <T>(call: string, make: () => Promise<T>): Promise<T> =>
    enqueueFails && call === 'SendMessage' ? Promise.reject(new Error('No answer')) : make(),
});

/** A notification of an event so many minutes ago; a negative number is a sender whose clock is ahead. */
export const notify = async (
  model: Model,
  real: System,
  { id, minutesAgo, enqueueFails }: { id: Id; minutesAgo: number; enqueueFails: boolean },
): Promise<void> => {
  const order = orderIn(model, id);
  // Half a minute past: never the very moment of an arrival, where chance alone would say which is newer.
  const eventMs = real.pipeline.passMinute() - minutesAgo * 60_000 - 30_000;
  const body = notification({ order_id: id, timestamp: new Date(eventMs).toISOString() });
  const status = begin(order, roundAt(eventMs, '000000000000'));
  const enqueues = status === 'queued' || (status === 'duplicate' && order.status === 'NOTIFIED');
  const failed = enqueues && enqueueFails;
  const answer = await real.pipeline.post(body, outsideOf(enqueueFails));
  expect(answer).toMatchObject(failed ? { statusCode: 500 } : { statusCode: 200, status });
  if (failed) real.owed.push(async () => void (await real.pipeline.post(body)));
  await settleOn(model, real, [order]);
};

/** An activity: it names no time, and is a new round each time. */
export const act = async (
  model: Model,
  real: System,
  { id, enqueueFails }: { id: Id; enqueueFails: boolean },
): Promise<void> => {
  const order = orderIn(model, id);
  const nowMs = real.pipeline.passMinute();
  const answer = await real.pipeline.post(activity({ order_id: id }), outsideOf(enqueueFails));
  expect(answer).toMatchObject(enqueueFails ? { statusCode: 500 } : { statusCode: 200, status: 'queued' });
  if (enqueueFails) real.owed.push(() => act(model, real, { id, enqueueFails: false }));
  await beginsAnew(model, real, order, nowMs);
};

/** An operator sends an order through again. */
export const replay = async (model: Model, real: System, id: Id): Promise<void> => {
  const nowMs = real.pipeline.passMinute();
  await real.pipeline.touch(id);
  await beginsAnew(model, real, orderIn(model, id), nowMs);
};

/** The tail of a new round is random, its time is not: now, or just after the round before, whatever the clocks say. */
const beginsAnew = async (model: Model, real: System, order: ModelOrder, nowMs: number): Promise<void> => {
  const { round = '' } = await observe(real, order.id);
  const earliestMs = order.round === undefined ? 0 : Number(order.round.slice(0, 15)) + 1;
  expect(Number(round.slice(0, 15))).toBe(Math.max(nowMs, earliestMs));
  expect(begin(order, round)).toBe('queued');
  await settleOn(model, real, [order]);
};

export interface DeliveryPlan {
  readonly stage: StageName;
  /** Two at most: their tries cannot open the circuit before each had one. */
  readonly max: 1 | 2;
  readonly troubles: Readonly<Record<Id, Trouble>>;
  readonly death: Death | undefined;
  readonly deletionLost: boolean;
}

/** One batch is delivered. @returns how many messages were in it */
export const deliver = async (model: Model, real: System, plan: DeliveryPlan): Promise<number> => {
  const { pipeline, seen } = real;
  const { stage, troubles, death, deletionLost } = plan;
  const messages = await pipeline.receive(stage, death === undefined ? plan.max : 1);
  if (messages.length === 0) return 0;
  seen[stage].push(...messages.map(({ Body = '' }) => Body));
  const api = stage === 'download' ? pipeline.qualia : pipeline.internalApi;
  const faults = orderIds.flatMap((order_id) =>
    faultsOf[stage][troubles[order_id]].map((fault) => ({ ...fault, match: { order_id } })),
  );
  await api.setFaults(...faults);
  const result = await pipeline.handle(stage, messages, { deletionLost, ...(death && { death }) });

  const read = messages.map((message) => readMessage(message));
  for (const id of new Set(read.map(({ order_id }) => order_id))) {
    const before = orderIn(model, id);
    const after = structuredClone(before);
    for (const { round, isLast } of read.filter(({ order_id }) => order_id === id)) {
      const trouble = troubles[before.id as Id];
      (stage === 'download' ? download : process)(after, { round, isLast, trouble });
    }
    if (result !== 'died') await settleOn(model, real, [after]);
    else await settleOn(model, real, await afterDeath(real, before, after, read[0]?.round ?? ''));
  }
  return messages.length;
};

/** Whoever died did nothing, all of it, or only what came before its last write. */
const afterDeath = async (
  { pipeline }: System,
  before: ModelOrder,
  after: ModelOrder,
  round: string,
): Promise<ModelOrder[]> => {
  const kept = new Map(before.kept);
  const version = after.kept.get(round);
  const payload = await pipeline.payloads.load(`raw/${before.id}/${round}.json`).catch(() => undefined);
  if (payload !== undefined && version !== undefined) kept.set(round, version);
  return [
    { ...before, kept },
    { ...before, kept, taken: after.taken },
    { ...after, kept },
  ];
};

const readMessage = ({ Body = '', Attributes = {} }: Message) => ({
  ...messageSchema.parse(JSON.parse(Body)),
  isLast: Number(Attributes.ApproximateReceiveCount) >= maxReceiveCount,
});

const calm = { max: 2, troubles: { 'QO-1': 'none', 'QO-2': 'none' }, death: undefined, deletionLost: false } as const;

/** Troubles end, senders try again, dead letters are redriven: every message reaches its end. */
export const comeToRest = async (model: Model, real: System): Promise<void> => {
  for (const retry of real.owed) await retry();
  for (const id of orderIds) {
    const order = orderIn(model, id);
    // The retry of an old notification starts no round, and no model step is needed for it.
    await settleOn(model, real, [order]);
  }
  let left: number;
  do {
    left = 0;
    for (const stage of ['download', 'processing'] as const) {
      await real.pipeline.redrive(stage);
      left += await deliver(model, real, { ...calm, stage });
      left += (await real.pipeline.deadLetters(stage)).length;
    }
  } while (left > 0);
};

/** Every order is closed, and the internal API has exactly what its newest round downloaded. */
export const expectRest = async (model: Model, { pipeline }: System): Promise<void> => {
  for (const { id, round, status, kept, taken } of model.values()) {
    if (round === undefined) continue;
    expect(['PROCESSED', 'FAILED']).toContain(status);
    const { posts, body } = await pipeline.internalApi.postsOf(id);
    const keys = posts.filter(({ outcome }) => outcome === 'taken').map(({ idempotency_key }) => idempotency_key);
    expect(new Set(keys).size).toBe(keys.length);
    if (status !== 'PROCESSED') continue;
    const version = kept.get(round);
    expect(taken.has(version ?? -1)).toBe(true);
    expect(body.purpose).toBe(`version ${version}`);
    const payload = await pipeline.payloads.load(`raw/${id}/${round}.json`);
    const parsed = payloadSchema.parse(JSON.parse(Buffer.from(payload).toString()));
    expect(parsed.data.order.order.purpose).toBe(`version ${version}`);
  }
};

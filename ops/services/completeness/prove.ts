import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { fingerprintOf } from '../../../shared/completeness/fingerprint';
import { checkedAtMs, isInFlight, isStuck, readAtQualiaMs } from '../../../shared/completeness/judge';
import { createPassStore, type Pass } from '../../../shared/completeness/pass-store';
import { walkOpenOrders, walkStart } from '../../../shared/completeness/walk';
import { PipelineError } from '../../../shared/errors';
import type { CallContext } from '../../../shared/http/api-client';
import { parseJson } from '../../../shared/json';
import { type Order, type OrderId, orderIdSchema } from '../../../shared/orders/order';
import { createOrderQueries, type OrderOrUnreadable, unreadable } from '../../../shared/orders/queries';
import type { QualiaClient } from '../../../shared/qualia/client';
import { createPayloadService } from '../payloads';
import { openReconciler } from '../reconciler';
import type { StageConnection } from '../stage-connection';
import { type LedgerEntries, openLedger, type Standing } from './ledger';

/** The comparison of a stage with Qualia. */
export interface Proof extends LedgerEntries {
  /** Open orders that Qualia listed. */
  readonly listed: number;
  /** Orders of the last pass that Qualia no longer lists as open. */
  readonly gone: number;
  /** Orders that failed since then, whether or not they are open at Qualia. */
  readonly failedSince: number;
  /** When the reconciler's last pass began; undefined if there was none. */
  readonly lastPassAtMs: number | undefined;
  /** Whether Qualia's list came to an end. If not, orders that were not listed may be missing. */
  readonly isListComplete: boolean;
  /** Whether Qualia's list shows the status of its orders. If not, only a check of the order shows a change. */
  readonly showsStatus: boolean;
}

export interface ProveOptions {
  /** Every open order must have been checked since then. */
  readonly since: Date;
  /** How long to wait for webhooks on their way before an order counts as missing or drifted. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: string) => void;
}

export interface ProveSurroundings {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** An order that Qualia knows. */
interface Known {
  readonly orderId: OrderId;
  readonly isOpen: boolean;
  /** Fingerprint of its status in the list. */
  readonly fingerprint: string | undefined;
}

/** Maximum of BatchGetItem. Also the number of payloads that are read concurrently. */
const chunkSize = 100;

function* chunksOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += chunkSize) yield list.slice(start, start + chunkSize);
}

const payloadSchema = z.object({ data: z.object({ order: z.object({ order: z.looseObject({}) }) }) });

/** The fingerprint of the status in Qualia's response about an order. */
const fingerprintIn = (bytes: Uint8Array): string | undefined => {
  const order = payloadSchema.safeParse(parseJson(bytes)).data?.data.order.order;
  return order && fingerprintOf(order);
};

/** Orders of the last pass that are no longer listed. */
const goneSince = (last: Pass | undefined, listed: ReadonlyMap<string, unknown>): Known[] =>
  [...(last?.open.keys() ?? []), ...(last?.closed.keys() ?? [])].flatMap((id) => {
    const orderId = listed.has(id) ? undefined : orderIdSchema.safeParse(id).data;
    return orderId === undefined ? [] : { orderId, isOpen: false, fingerprint: undefined };
  });

/**
 * Proves that a stage holds everything that Qualia knows. Reads Qualia's list of open orders, the last pass of the
 * reconciler, the items of all these orders, and the stored payload of each order that was posted. Changes nothing.
 *
 * @returns undefined after Ctrl-C
 */
export const prove = async (
  stage: StageConnection,
  { since, waitMs, signal, onProgress }: ProveOptions,
  { now, sleep }: ProveSurroundings,
): Promise<Proof | undefined> => {
  const { qualia, passBucketName } = await openReconciler(stage, now);
  const queries = createOrderQueries(DynamoDBDocumentClient.from(stage.dynamodb), stage.ordersTableName);
  const payloads = createPayloadService(stage);
  const context: CallContext = {
    deadlineMs: Number.POSITIVE_INFINITY,
    signal,
    onRetry: ({ error }) => onProgress(`${error.message}; trying again`),
  };

  const readList = async () => {
    const listed = new Map<string, string | undefined>();
    let showsStatus = true;
    const end = await walkOpenOrders({
      list: (request) => qualia.listOpenOrders(request, context),
      progress: walkStart,
      hasSeen: (id) => listed.has(id),
      onOrder: ({ id, fingerprint }) => void listed.set(id, fingerprint),
      onProgress: () => onProgress(`${listed.size} open orders listed`),
      isTimeUp: () => signal.aborted,
      onStatusRefused: () => {
        showsStatus = false;
      },
    });
    return { listed, showsStatus, isListComplete: end === 'complete' };
  };

  const storedFingerprintOf = async (order: Order): Promise<string | undefined> => {
    if (!('s3_key' in order) || order.s3_key === undefined) return undefined;
    try {
      return fingerprintIn(await payloads.load(order.s3_key));
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'PAYLOAD_MISSING') return undefined;
      throw error;
    }
  };

  const isAsListed = async ({ isOpen, fingerprint }: Known, order: Order, showsStatus: boolean): Promise<boolean> =>
    isOpen && (!showsStatus || fingerprint === (await storedFingerprintOf(order)));

  try {
    const last = (await createPassStore(stage.s3, passBucketName).load('last'))?.pass;
    const { listed, ...list } = await readList();
    signal.throwIfAborted();
    const walkedAtMs = now();
    const open = [...listed].flatMap(([id, fingerprint]): Known[] => {
      const orderId = orderIdSchema.safeParse(id).data;
      return orderId === undefined ? [] : [{ orderId, isOpen: true, fingerprint }];
    });
    const gone = list.isListComplete ? goneSince(last, listed) : [];
    const ledger = openLedger(now);

    /** @returns undefined for an order that looks missing or out of date; never undefined with `toConfirm` */
    const standingOf = async (
      known: Known,
      order: OrderOrUnreadable | undefined,
      toConfirm: boolean,
    ): Promise<Standing | undefined> => {
      if (order === undefined) return toConfirm ? 'missing' : undefined;
      if (order === unreadable) return 'unreadable';
      if (order.status === 'FAILED') return 'failed';
      if (isInFlight(order)) return isStuck(order, {}, now()) ? 'stuck' : 'in_flight';
      const isCurrent =
        (readAtQualiaMs(order) ?? 0) >= walkedAtMs ||
        (toConfirm
          ? await isUnchanged(qualia, known.orderId, await storedFingerprintOf(order), context)
          : await isAsListed(known, order, list.showsStatus));
      if (!isCurrent) return toConfirm ? 'drifted' : undefined;
      return known.isOpen && (checkedAtMs(order) ?? 0) < since.getTime() ? 'unchecked' : 'proven';
    };

    /** @returns the orders that look missing or out of date */
    const enter = async (orders: readonly Known[], toConfirm: boolean): Promise<Known[]> => {
      const suspects: Known[] = [];
      for (const chunk of chunksOf(orders)) {
        signal.throwIfAborted();
        const found = await queries.readMany(chunk.map(({ orderId }) => orderId));
        await Promise.all(
          chunk.map(async (known) => {
            const order = found.get(known.orderId);
            const standing = await standingOf(known, order, toConfirm);
            if (standing === undefined) suspects.push(known);
            else ledger.add(known.orderId, standing, order);
          }),
        );
        onProgress(`${ledger.size()} of ${open.length + gone.length} orders compared`);
      }
      return suspects;
    };

    const suspects = await enter([...open, ...gone], false);
    if (suspects.length > 0 && waitMs > 0) {
      onProgress(`${suspects.length} look missing or out of date: waiting for webhooks on their way`);
      await sleep(waitMs, signal);
    }
    await enter(suspects, true);

    let failedSince = 0;
    for await (const _ of queries.listFailed(since)) failedSince++;
    return {
      ...ledger.entries(),
      listed: open.length,
      gone: gone.length,
      failedSince,
      lastPassAtMs: last?.header.started_at_ms,
      ...list,
    };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    await qualia.close();
  }
};

/** Whether Qualia shows the stored status. An order that Qualia no longer knows counts as unchanged. */
const isUnchanged = async (
  qualia: QualiaClient,
  orderId: OrderId,
  stored: string | undefined,
  context: CallContext,
): Promise<boolean> => {
  try {
    return stored === fingerprintIn((await qualia.fetchOrder(orderId, context)).bytes);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.retryable) throw error;
    return error.code === 'ORDER_NOT_FOUND';
  }
};

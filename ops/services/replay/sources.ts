import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createQueue } from '../../../shared/aws/queue';
import type { DownloadMessage, ProcessingMessage } from '../../../shared/orders/message';
import type { Order, OrderId, RequestId, Round } from '../../../shared/orders/order';
import { checksumOf, type StoredPayload } from '../../../shared/orders/payload-store';
import { createOrderRepository } from '../../../shared/orders/repository';
import { newRequestId } from '../../../shared/orders/request-id';
import { createRoundStarter, type StartedRound } from '../../../shared/orders/start-round';
import { createStoredRoundStarter } from '../../../shared/orders/start-stored-round';
import { ServiceFault, toServiceFault } from '../fault';
import { createPayloadService } from '../payloads';
import type { StageConnection } from '../stage-connection';
import type { ReplayDependencies } from './run-replay';

/** The input of a replay. */
export type ReplaySource =
  /** Qualia's current state of the order. */
  | { readonly kind: 'qualia' }
  /** The stored bytes of the newest round, or of `round`. */
  | { readonly kind: 'raw'; readonly round?: Round | undefined };

export interface StarterOptions {
  readonly source: ReplaySource;
  /** Posts even if nothing changed, with a new idempotency key. */
  readonly force: boolean;
}

/** Stored and logged in place of the type of a notification. */
const notificationType = 'replay';

/** Starts the rounds of a replay, one order at a time. */
export const createReplayStarter = (
  stage: StageConnection,
  { source, force }: StarterOptions,
): ReplayDependencies['start'] => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const payloads = createPayloadService(stage);
  const startRound = createRoundStarter({
    repository,
    downloadQueue: createQueue<DownloadMessage>(stage.sqs, stage.downloadQueueUrl),
    now: Date.now,
  });
  const startStoredRound = createStoredRoundStarter({
    repository,
    processingQueue: createQueue<ProcessingMessage>(stage.sqs, stage.processingQueueUrl),
    now: Date.now,
  });

  const olderPayload = async (orderId: OrderId, round: Round): Promise<StoredPayload> => {
    const s3Key = await payloads.keyOf(orderId, round);
    const bytes = await payloads.load(s3Key);
    return { s3Key, checksum: checksumOf(bytes), sizeBytes: bytes.byteLength };
  };

  const fromQualia = (orderId: OrderId, requestId: RequestId): Promise<StartedRound> =>
    startRound({ orderId, requestId, notificationType, force });

  const fromRaw = async (orderId: OrderId, requestId: RequestId, older: Round | undefined): Promise<StartedRound> => {
    const order = await repository.read(orderId);
    if (order === undefined) throw new ServiceFault('absent', `There is no order ${orderId}.`);
    if (order.status === 'NOTIFIED') {
      // A newer version is about to be downloaded: older bytes must not replace it.
      throw new ServiceFault('failed', `Order ${orderId} is being downloaded: replay it after the download.`);
    }
    const began = older === undefined ? order.download_started_at : undefined;
    const started = await startStoredRound({
      orderId,
      requestId,
      notificationType,
      force,
      payload: older === undefined ? newestPayload(order) : await olderPayload(orderId, older),
      after: order.round,
      downloadStartedAtMs: began === undefined ? undefined : Date.parse(began),
    });
    if (started.outcome === 'queued') return started;
    throw new ServiceFault('failed', `Order ${orderId} was not replayed: a newer round started at the same moment.`);
  };

  return async (orderId) => {
    const requestId = newRequestId();
    try {
      const started =
        source.kind === 'qualia'
          ? await fromQualia(orderId, requestId)
          : await fromRaw(orderId, requestId, source.round);
      return { requestId, round: started.round };
    } catch (thrown) {
      const fault = toServiceFault(thrown);
      if (fault === undefined) throw thrown;
      return { error: fault.message };
    }
  };
};

/** @throws {ServiceFault} `absent` if the newest round failed before it stored a payload */
const newestPayload = (order: Exclude<Order, { readonly status: 'NOTIFIED' }>): StoredPayload => {
  const { order_id, s3_key, checksum, payload_size } = order;
  if (s3_key !== undefined && checksum !== undefined && payload_size !== undefined)
    return { s3Key: s3_key, checksum, sizeBytes: payload_size };
  throw new ServiceFault(
    'absent',
    `Order ${order_id} has no stored payload in its newest round: replay it from Qualia, or choose an older round with --round.`,
  );
};

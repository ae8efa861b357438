import { createHandler, type ProcessingDependencies } from '../../lambdas/processing/handler';
import { bodyHashOf } from '../../shared/internal-api/body';
import { idempotencyKeyOf } from '../../shared/internal-api/idempotency-key';
import { mapOrder } from '../../shared/internal-api/mapping';
import { createLogger } from '../../shared/observability/logger';
import type { Order } from '../../shared/orders/order';
import { createWorkerMemory } from '../../shared/orders/order-memory';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { readOrder } from '../../shared/qualia/order';
import { recordFailureGroups } from './failures';
import { fakeRepository } from './fake-repository';
import { lambdaContext } from './lambda-context';
import { type CapturedLogs, ownFields } from './logs';
import { recordMetrics } from './metrics';
import { checksum, orderId, processingMessage, round } from './orders';
import { qualiaResponse } from './qualia-orders';
import { sqsEvent, sqsRecord, sqsSentAtMs } from './sqs-events';
import { unconfigured } from './unconfigured';

/** The current time in every batch. */
export const nowMs = Date.parse('2026-01-01T00:00:07.5Z');

/** Test doubles for one message. A call of a double that is not given throws. */
export interface MessageDoubles {
  /** The stored payload. */
  readonly payload?: string;
  readonly load?: ProcessingDependencies['payloads']['load'];
  readonly checksumInMessage?: ReturnType<typeof checksum>;
  readonly current?: Order | undefined;
  readonly postOrder?: ProcessingDependencies['internalApi']['postOrder'];
  readonly repository?: Partial<OrderRepository>;
  readonly hideFor?: ProcessingDependencies['queue']['hideFor'];
  readonly send?: ProcessingDependencies['queue']['send'];
  readonly sleep?: ProcessingDependencies['sleep'];
  readonly receiveCount?: number;
  readonly retried?: boolean;
  /** When the download worker sent the message, epoch ms. The SentTimestamp of SQS is in the last minutes of 2025. */
  readonly sentAtMs?: number;
}

/** Handles a batch of one message. */
export const handleMessage = async (logs: CapturedLogs, doubles: MessageDoubles) => {
  const metrics = recordMetrics();
  const payload = doubles.payload ?? qualiaResponse();
  const load = jest.fn(doubles.load ?? (async () => Buffer.from(payload)));
  const message = processingMessage({
    checksum: doubles.checksumInMessage ?? checksum(payload),
    ...(doubles.retried && { retried: true }),
    sent_at: doubles.sentAtMs ?? sqsSentAtMs,
  });
  const handler = createHandler({
    payloads: { load },
    internalApi: { postOrder: doubles.postOrder ?? unconfigured('postOrder'), lastResponseAtMs: () => nowMs },
    repository: fakeRepository({
      ...('current' in doubles && { read: async () => doubles.current }),
      ...doubles.repository,
    }),
    queue: { send: doubles.send ?? unconfigured('send'), hideFor: doubles.hideFor ?? unconfigured('hideFor') },
    failures: recordFailureGroups().collector,
    memory: createWorkerMemory(512),
    maxReceiveCount: 5,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
    random: () => 0,
    sleep: doubles.sleep ?? unconfigured('sleep'),
  });
  const { receiveCount = 1 } = doubles;
  const { batchItemFailures } = await handler(sqsEvent(sqsRecord(message, { receiveCount })), lambdaContext());
  expect(load.mock.calls).toEqual([[message.s3_key, expect.anything()]]);
  return {
    returned: batchItemFailures.length,
    added: metrics.added,
    values: metrics.values,
    lines: logs.lines().map(ownFields),
  };
};

export type PostOrder = ProcessingDependencies['internalApi']['postOrder'];

/** A POST that succeeds at the n-th attempt. Calls `beforeAttempt` before each attempt, like the client. */
export const posted = (outcome: 'posted' | 'already_known' = 'posted', attempts = 1) =>
  jest.fn<ReturnType<PostOrder>, Parameters<PostOrder>>(async ({ beforeAttempt }) => {
    for (let attempt = 1; attempt <= attempts; attempt++) await beforeAttempt?.();
    return { outcome, statusCode: outcome === 'posted' ? 201 : 409, responseTimeMs: 40 };
  });
/** A write with this result. */
export const writing = (outcome: WriteOutcome = { applied: true }) => jest.fn(async () => outcome);
/** A call that fails with this error. */
export const failing = (error: Error) => async (): Promise<never> => {
  throw error;
};
export const ok = async () => undefined;
const source = readOrder(Buffer.from(qualiaResponse()));
const mapped = source && mapOrder(source);
if (mapped?.kind !== 'mapped') throw new Error('The sample order cannot be mapped');
/** The body that is posted for the sample order. */
export const { order: body } = mapped;
/** Its idempotency key. */
export const keyOf = (repost?: string) =>
  idempotencyKeyOf({ orderId: orderId(), round: round(), bodyHash: bodyHashOf(body), repost });
export const identity = { order_id: 'QO-123456', request_id: 'request-1' };
/** The log line of a message whose round has ended. */
export const superseded = { level: 'INFO', message: 'message superseded', ...identity, outcome: 'superseded' };

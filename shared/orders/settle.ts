import type { Queue } from '../aws/queue';
import type { PipelineError } from '../errors';
import type { Random } from '../http/backoff';
import type { FailureCollector } from '../issues/failure-collector';
import type { Delivery } from './delivery';
import { createFailOrder } from './fail-order';
import { createFreshCopy } from './fresh-copy';
import type { DownloadMessage } from './message';
import type { WorkerName } from './order';
import { decide, firstFailureMs, patienceMs } from './redelivery';
import type { OrderRepository } from './repository';
import type { OnSuperseded } from './supersede';
import type { WorkerReport } from './worker-report';

/** What SQS does with a message after its delivery: delete it, or deliver it again. */
export type Settlement = 'acknowledge' | 'redeliver';

export interface SettleOptions<Message> {
  readonly worker: WorkerName;
  /** The worker's own queue. */
  readonly queue: Queue<Message>;
  /** The last receive before the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly repository: Pick<OrderRepository, 'read' | 'recordFailure' | 'recordDeferral'>;
  readonly failures: Pick<FailureCollector, 'add'>;
  /** When the API last sent this process a conclusive response, epoch ms. */
  readonly lastResponseAtMs: () => number | undefined;
  /** The part of an API's response that the order keeps besides the error's code and message. */
  readonly responseOf?: ((error: PipelineError) => string | undefined) | undefined;
  readonly report: WorkerReport;
  readonly supersede: OnSuperseded<Message>;
  readonly now: () => number;
  readonly random: Random;
}

/** Executes the decision of `redelivery.ts` on a delivery that failed. */
export const createSettle = <Message extends DownloadMessage>(options: SettleOptions<Message>) => {
  const { queue, maxReceiveCount, repository, lastResponseAtMs, responseOf, report, supersede, now, random } = options;
  const failOrder = createFailOrder(options);
  const sendCopy = createFreshCopy(options);

  const fail = async (delivery: Delivery<Message>, error: PipelineError): Promise<Settlement> => {
    await failOrder(delivery, {
      code: error.code,
      message: error.message,
      response: responseOf?.(error),
      cause: error,
    });
    return 'acknowledge';
  };

  const hide = async (delivery: Delivery<Message>, error: PipelineError, seconds: number): Promise<Settlement> => {
    report.willRetry(delivery, { error, waitSeconds: seconds });
    await queue.hideFor(delivery.receiptHandle, seconds);
    return 'redeliver';
  };

  const copy = async (delivery: Delivery<Message>, seconds: number): Promise<Settlement> => {
    await sendCopy(delivery, seconds);
    return 'acknowledge';
  };

  const exhaust = async (delivery: Delivery<Message>, error: PipelineError): Promise<Settlement> => {
    const isFailed = await failOrder(delivery, {
      code: 'RETRIES_EXHAUSTED',
      message: `Gave up after ${delivery.receiveCount} receives: ${error.message} (${error.code})`,
      cause: error,
    });
    // A message whose round is over needs no attention: it must not become a dead letter.
    if (!isFailed) return 'acknowledge';
    await queue.hideFor(delivery.receiptHandle, 0);
    return 'redeliver';
  };

  /** Replaces the message by a copy instead of using its last receive, unless the round is over or too old. */
  const copyIfOpen = async (
    delivery: Delivery<Message>,
    error: PipelineError,
    seconds: number,
  ): Promise<Settlement> => {
    const { message } = delivery;
    const order = await repository.read(message.order_id);
    if (order?.round !== message.round || order.status === 'PROCESSED') {
      await supersede(delivery, { applied: false, order });
      return 'acknowledge';
    }
    if (now() - Date.parse(order.notified_at) > patienceMs) return exhaust(delivery, error);
    report.willRetry(delivery, { error, waitSeconds: seconds });
    return copy(delivery, seconds);
  };

  return (delivery: Delivery<Message>, error: PipelineError): Promise<Settlement> => {
    const { receiveCount, firstReceivedAtMs } = delivery;
    const apiWorks = (lastResponseAtMs() ?? 0) > firstReceivedAtMs + firstFailureMs;
    const decision = decide(error, { receiveCount, maxReceiveCount, apiWorks }, random);
    switch (decision.action) {
      case 'fail':
        return fail(delivery, error);
      case 'hide':
        return hide(delivery, error, decision.seconds);
      case 'copy':
        report.deferred(delivery, { error, waitSeconds: decision.seconds });
        return copy(delivery, decision.seconds);
      case 'copyIfOpen':
        return copyIfOpen(delivery, error, decision.seconds);
      case 'exhaust':
        return exhaust(delivery, error);
    }
  };
};

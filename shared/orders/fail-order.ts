import type { ErrorCode, PipelineError } from '../errors';
import { causeOf, issueIdOf } from '../issues/cause';
import type { FailureCollector } from '../issues/failure-collector';
import type { Delivery } from './delivery';
import type { DownloadMessage } from './message';
import type { WorkerName } from './order';
import type { OrderRepository } from './repository';
import type { OnSuperseded } from './supersede';
import type { WorkerReport } from './worker-report';

export interface OrderFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** The part of the API's response that the order keeps. */
  readonly response?: string | undefined;
  readonly cause: PipelineError;
}

export interface FailOrderOptions<Message> {
  readonly worker: WorkerName;
  readonly repository: Pick<OrderRepository, 'recordFailure'>;
  readonly failures: Pick<FailureCollector, 'add'>;
  readonly report: Pick<WorkerReport, 'orderFailed'>;
  readonly supersede: OnSuperseded<Message>;
  readonly now: () => number;
}

/** Sets an order to FAILED, adds it to its issue and reports it, unless the order has moved on. */
export const createFailOrder =
  <Message extends DownloadMessage>({
    worker,
    repository,
    failures,
    report,
    supersede,
    now,
  }: FailOrderOptions<Message>) =>
  /** @returns whether the order accepted the failure */
  async (delivery: Delivery<Message>, { code, message: error, response, cause }: OrderFailure): Promise<boolean> => {
    const { message, receiveCount } = delivery;
    const issueCause = causeOf(worker, code, cause);
    const issueId = issueIdOf(issueCause);
    const written = await repository.recordFailure(message.order_id, message.round, {
      code,
      message: error,
      stage: worker,
      issueId,
      statusCode: issueCause.statusCode,
      detail: issueCause.detail,
      response,
      receiveCount,
      failedAtMs: now(),
    });
    if (!written.applied) {
      await supersede(delivery, written);
      return false;
    }
    failures.add({ cause: issueCause, orderId: message.order_id, isRepeated: written.isRepeated === true });
    report.orderFailed(message, { code, message: error, issueId, receive: receiveCount, cause });
    return true;
  };

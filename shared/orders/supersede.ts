import type { Delivery } from './delivery';
import type { DownloadMessage } from './message';
import type { WorkerName } from './order';
import type { Rejection } from './repository';
import type { WorkerReport } from './worker-report';

/** Called when the order has moved on and rejected the step or its failure. */
export type OnSuperseded<Message> = (delivery: Delivery<Message>, rejection: Rejection) => Promise<void>;

export interface SupersedeOptions<Message> {
  readonly worker: WorkerName;
  readonly report: Pick<WorkerReport, 'orderFailed' | 'superseded'>;
  readonly onSuperseded?: OnSuperseded<Message> | undefined;
}

/** Ends a message whose round is closed or no longer the newest. */
export const createSupersede =
  <Message extends DownloadMessage>({
    worker,
    report,
    onSuperseded,
  }: SupersedeOptions<Message>): OnSuperseded<Message> =>
  async (delivery, rejection) => {
    const { message } = delivery;
    const { order } = rejection;
    await onSuperseded?.(delivery, rejection);
    const isOwnFailure = order?.status === 'FAILED' && order.round === message.round && order.error.stage === worker;
    // The delivery that failed the order may have crashed before its log line, so report the failure again.
    if (isOwnFailure)
      report.orderFailed(message, { ...order.error, issueId: order.error.issue_id, receive: order.attempts });
    else report.superseded(message);
  };

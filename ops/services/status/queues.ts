import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { WorkerName } from '../../../shared/orders/order';
import { workerNames } from '../dead-letters';
import type { StageConnection } from '../stage-connection';

/** The queue of a worker. Counts come from SQS and are approximate. */
export interface QueueStatus {
  readonly worker: WorkerName;
  readonly waiting: number;
  readonly inFlight: number;
  /** Sent with a delay that is still running. A message that is hidden after a failure counts as in flight. */
  readonly delayed: number;
  readonly deadLetters: number;
}

/** The messages of a queue that are not processed yet. */
export const backlogOf = ({ waiting, inFlight, delayed }: QueueStatus): number => waiting + inFlight + delayed;

/** Reads the queues of both workers. */
export const readQueues = (stage: StageConnection): Promise<QueueStatus[]> => {
  const countsOf = async (QueueUrl: string) => {
    const { Attributes = {} } = await stage.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return {
      waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    };
  };
  const urls = { download: stage.downloadQueueUrl, processing: stage.processingQueueUrl };
  return Promise.all(
    workerNames.map(async (worker) => {
      const [counts, dead] = await Promise.all([countsOf(urls[worker]), countsOf(stage.deadLetterQueueUrls[worker])]);
      return { worker, ...counts, deadLetters: dead.waiting + dead.inFlight };
    }),
  );
};

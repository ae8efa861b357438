import { Duration } from 'aws-cdk-lib';
import { type CfnFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config } from '../config';
import type { AlarmDefinition } from './alarm';
import type { NodeFunction } from './node-function';
import { QueuePair } from './queue-pair';

interface ContinuationQueueProps {
  readonly config: Config;
  readonly functionTimeoutSeconds: number;
  readonly deadLetters: Pick<AlarmDefinition, 'impact' | 'runbook'>;
}

/** A queue by which a Lambda continues its own work in a new invocation. */
export class ContinuationQueue extends QueuePair {
  constructor(scope: Construct, name: string, { config, functionTimeoutSeconds, deadLetters }: ContinuationQueueProps) {
    super(scope, name, {
      config,
      // One message at a time, so that there is no batch to retry: only just longer than an invocation may take.
      visibilityTimeout: Duration.seconds(functionTimeoutSeconds + 60),
      deadLetters,
    });
  }

  /** Lets `worker` send messages to the queue, and invokes it with each of them. */
  connect(worker: NodeFunction): void {
    worker.addEventSourceMapping('messages', { eventSourceArn: this.queue.queueArn, batchSize: 1, maxConcurrency: 2 });
    // The pollers act as the worker.
    this.queue.grants.actions(worker, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    this.queue.grants.actions(worker, ['sqs:SendMessage']);
    // Lambda would take the 16th continuation for a loop and dead-letter it. The work itself ends this chain.
    (worker.node.defaultChild as CfnFunction).recursiveLoop = RecursiveLoop.ALLOW;
  }
}

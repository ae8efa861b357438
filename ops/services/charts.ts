import type { StageConnection } from './stage-connection';

/** One line of a chart: a metric of CloudWatch. */
export interface SeriesDefinition {
  readonly label: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** A statistic of CloudWatch. */
  readonly statistic: string;
}

/** Metrics that are shown together. */
export interface ChartDefinition {
  readonly title: string;
  /** Of its values: things, or milliseconds. */
  readonly unit: 'count' | 'ms';
  /** Whether a minute without a value is a minute with 0. */
  readonly isCounted: boolean;
  readonly series: readonly SeriesDefinition[];
}

/** Namespace of the metrics that the Lambdas write to their logs (docs/contracts/logs.md). */
const pipelineNamespace = 'MarketplacePipeline';

/** The charts of a stage: the figures of its dashboard (`lib/observability/dashboard.ts`). */
export const chartsOf = (stage: StageConnection): readonly ChartDefinition[] => {
  const sum = (service: string, metric: string, label: string): SeriesDefinition => ({
    label,
    metric,
    namespace: pipelineNamespace,
    statistic: 'Sum',
    dimensions: { service, stage: stage.name },
  });
  const latency = (percentile: number): SeriesDefinition => ({
    ...sum('processing', 'EndToEndLatency', `p${percentile}`),
    statistic: `p${percentile}`,
  });
  const ofQueue = (url: string, label: string, metric: string): SeriesDefinition => ({
    label,
    metric,
    namespace: 'AWS/SQS',
    statistic: 'Maximum',
    dimensions: { QueueName: url.replace(/^.*\//, '') },
  });
  const ofQueues = (metric: string): SeriesDefinition[] => [
    ofQueue(stage.downloadQueueUrl, 'download', metric),
    ofQueue(stage.processingQueueUrl, 'processing', metric),
  ];
  const runs = (metric: string, label: string): SeriesDefinition => ({
    label,
    metric,
    namespace: 'AWS/States',
    statistic: 'Sum',
    dimensions: { StateMachineArn: stage.stateMachineArn },
  });
  const counted = (title: string, ...series: SeriesDefinition[]): ChartDefinition => ({
    title,
    series,
    unit: 'count',
    isCounted: true,
  });
  const measured = (title: string, unit: ChartDefinition['unit'], series: SeriesDefinition[]): ChartDefinition => ({
    title,
    series,
    unit,
    isCounted: false,
  });

  return [
    counted(
      'Webhooks',
      sum('webhook', 'WebhookAccepted', 'accepted'),
      sum('webhook', 'WebhookDuplicate', 'duplicate'),
      sum('webhook', 'WebhookRefused', 'refused'),
    ),
    counted(
      'Orders',
      sum('download', 'OrderDownloaded', 'downloaded'),
      sum('processing', 'OrderProcessed', 'processed'),
      sum('processing', 'OrderUnchanged', 'unchanged'),
    ),
    counted(
      'Failed orders',
      sum('download', 'OrderFailed', 'in download'),
      sum('processing', 'OrderFailed', 'in processing'),
    ),
    measured('Webhook to internal API', 'ms', [latency(50), latency(95), latency(99)]),
    measured('Messages waiting', 'count', ofQueues('ApproximateNumberOfMessagesVisible')),
    measured('Dead letters', 'count', [
      ofQueue(stage.deadLetterQueueUrls.download, 'download', 'ApproximateNumberOfMessagesVisible'),
      ofQueue(stage.deadLetterQueueUrls.processing, 'processing', 'ApproximateNumberOfMessagesVisible'),
    ]),
    counted(
      'Circuit opened',
      sum('download', 'CircuitOpen', 'download'),
      sum('processing', 'CircuitOpen', 'processing'),
      sum('reconciler', 'CircuitOpen', 'reconciler'),
    ),
    counted(
      'Sync runs',
      runs('ExecutionsStarted', 'started'),
      runs('ExecutionsSucceeded', 'succeeded'),
      runs('ExecutionsFailed', 'failed'),
    ),
    counted(
      'Sync: users and contacts',
      sum('iterable-push', 'SyncUsersSent', 'users sent'),
      sum('iterable-push', 'SyncUsersFailed', 'users failed'),
      sum('netlife-collect', 'SyncContactsWritten', 'contacts written'),
    ),
  ];
};

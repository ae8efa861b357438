import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import { metricsNamespace, pipelineMetric } from '../metrics';
import type { Data } from '../stacks/data';
import type { OrderPipeline } from '../stacks/order-pipeline';
import type { SyncJobs } from '../stacks/sync-jobs';
import type { CountedLines } from './webhook-alarms';

const period = Duration.minutes(5);
const columns = 3;
const width = 24 / columns;

/** Errors of all Lambdas by error code. */
const errorsByCode = [
  'filter level = "ERROR" and ispresent(error_code)',
  'stats count() as errors, latest(error) as last_error by error_code, service',
  'sort errors desc',
];

interface DashboardSources {
  readonly data: Data;
  readonly pipeline: OrderPipeline;
  readonly syncJobs: SyncJobs;
  readonly logGroupNames: string[];
  readonly lines: CountedLines;
}

/**
 * Rows of the dashboard: alarms, the flow of an order from left to right, errors, queues, Lambdas, the syncs, and the
 * drivers of cost.
 */
export const dashboardRows = (
  config: Config,
  { data, pipeline, syncJobs, logGroupNames, lines }: DashboardSources,
  alarms: IAlarm[],
): IWidget[][] => {
  const graph = (title: string, left: IMetric[]): IWidget => new GraphWidget({ title, left, width, period });
  const count = (service: string, ...names: string[]): IMetric[] =>
    names.map((name) => pipelineMetric(config, service, name, { statistic: Stats.SUM, period }));
  const latency = (percent: number): IMetric =>
    pipelineMetric(config, 'processing', 'EndToEndLatency', { statistic: Stats.percentile(percent), period });
  const byApi = new MathExpression({
    label: '',
    expression: `SEARCH('{${metricsNamespace},api,service,stage} MetricName="ApiRetry" stage="${config.stage}"', 'Sum')`,
    usingMetrics: {},
    period,
  });
  const queues = Object.values(pipeline.queues);
  const functions = Object.values(pipeline.functions);
  const tables = [data.orders, data.syncRuns];
  const logBytes = (LogGroupName: string): IMetric =>
    new Metric({
      namespace: 'AWS/Logs',
      metricName: 'IncomingBytes',
      dimensionsMap: { LogGroupName },
      statistic: Stats.SUM,
      period,
    });
  const { machine } = syncJobs.stateMachine;

  return [
    [new AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: 4 })],
    [
      graph('Webhooks', [
        ...count('webhook', 'WebhookAccepted', 'WebhookDuplicate', 'WebhookRefused', 'WebhookRefusedNotKept'),
        pipeline.api.metricServerError({ period, statistic: Stats.SUM }),
        lines.throttledWebhooks,
        lines.webhookErrors,
      ]),
      graph('Orders', [
        ...count('download', 'OrderDownloaded', 'OrderFailed'),
        ...count('processing', 'OrderProcessed', 'OrderUnchanged', 'OrderFailed', 'UnknownState'),
        ...count('reconciler', 'OrderReconciled'),
      ]),
      graph('Webhook to internal API (ms)', [latency(50), latency(95), latency(99)]),
    ],
    [
      new LogQueryWidget({
        title: 'Errors by code',
        logGroupNames,
        queryLines: errorsByCode,
        view: LogQueryVisualizationType.TABLE,
        width,
      }),
      graph('Retries by API', [byApi]),
      graph(
        'Circuit opened',
        ['download', 'processing', 'reconciler'].flatMap((service) => count(service, 'CircuitOpen')),
      ),
    ],
    [
      graph(
        'Messages waiting',
        queues.map(({ queue }) => queue.metricApproximateNumberOfMessagesVisible({ period })),
      ),
      graph(
        'Age of the oldest message (s)',
        queues.flatMap(({ ages: { messages, deferred } }) => [messages, deferred]),
      ),
      graph(
        'Dead letters',
        queues.map(({ deadLetterQueue }) => deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period })),
      ),
    ],
    [
      graph(
        'Lambda duration, p95 (ms)',
        functions.map((lambda) => lambda.metricDuration({ period, statistic: Stats.percentile(95) })),
      ),
      graph(
        'Lambda errors',
        functions.map((lambda) => lambda.metricErrors({ period })),
      ),
      graph(
        'Lambda concurrency',
        functions.map((lambda) => lambda.metric('ConcurrentExecutions', { period, statistic: Stats.MAXIMUM })),
      ),
    ],
    [
      graph('Sync runs', [
        machine.metricStarted({ period }),
        machine.metricSucceeded({ period }),
        machine.metricFailed({ period }),
        machine.metricTimedOut({ period }),
      ]),
      graph('Sync: users and contacts', [
        ...count('iterable-push', 'SyncUsersSent', 'SyncUsersFailed'),
        ...count('netlife-collect', 'SyncContactsWritten'),
      ]),
      graph('Sync: rows read and rejected', [
        ...count('iterable-extract', 'SyncRowsRead', 'SyncRejectedRows'),
        ...count('netlife-collect', 'SyncRowsRead', 'SyncRejectedRows'),
      ]),
    ],
    [
      graph(
        'Cost: Lambda time (ms)',
        [...functions, ...Object.values(syncJobs.functions)].map((lambda) =>
          lambda.metricDuration({ period, statistic: Stats.SUM }),
        ),
      ),
      graph('Cost: log volume (bytes)', logGroupNames.map(logBytes)),
      graph('Cost: API calls, SQS messages, DynamoDB units', [
        pipeline.api.metricCount({ period }),
        ...queues.map(({ queue }) => queue.metricNumberOfMessagesSent({ period })),
        ...tables.flatMap((table) => [
          table.metricConsumedWriteCapacityUnits({ period }),
          table.metricConsumedReadCapacityUnits({ period }),
        ]),
      ]),
    ],
  ];
};

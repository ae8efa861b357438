import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ApiName } from '../errors';

/** Every metric and its unit (docs/contracts/logs.md). */
const units = {
  WebhookAccepted: MetricUnit.Count,
  WebhookRefused: MetricUnit.Count,
  WebhookDuplicate: MetricUnit.Count,
  WebhookRefusedNotKept: MetricUnit.Count,
  OrderDownloaded: MetricUnit.Count,
  OrderProcessed: MetricUnit.Count,
  OrderFailed: MetricUnit.Count,
  OrderUnchanged: MetricUnit.Count,
  OrderReconciled: MetricUnit.Count,
  OrdersMissing: MetricUnit.Count,
  OrdersDrifted: MetricUnit.Count,
  OrdersInFlight: MetricUnit.Count,
  OldestOrderInFlight: MetricUnit.Seconds,
  UnknownState: MetricUnit.Count,
  IdempotencyConflict: MetricUnit.Count,
  ApiRetry: MetricUnit.Count,
  DeferredOrderAge: MetricUnit.Seconds,
  CircuitOpen: MetricUnit.Count,
  EndToEndLatency: MetricUnit.Milliseconds,
  SyncUsersSent: MetricUnit.Count,
  SyncUsersFailed: MetricUnit.Count,
  SyncUsersUnconfirmed: MetricUnit.Count,
  SyncContactsWritten: MetricUnit.Count,
  SyncRowsRead: MetricUnit.Count,
  SyncUsersRead: MetricUnit.Count,
  SyncUsersMedian: MetricUnit.Count,
  SyncRejectedRows: MetricUnit.Count,
  SyncRunPartial: MetricUnit.Count,
} as const;

export type MetricName = keyof typeof units;

/** Fields that make a log line publish metrics (embedded metric format). The line itself has the dimensions. */
export type MetricFields = Readonly<Record<string, unknown>>;

/**
 * Metrics of one Lambda, in the namespace `MarketplacePipeline`, with the dimensions `service` and `stage`.
 *
 * An event that is alone in its invocation, or rare, has its metrics in its own log line (`fields`). What each order of a
 * batch counts is collected, and published in one line per invocation (`add`, `flush`): the description of a metric has 200
 * bytes, which the line of each order would repeat (docs/adr/0016). A count is one number per line, which a query can add
 * up; of other metrics, such as times, the line has each value.
 */
export interface MetricsRecorder {
  /** @param api an additional dimension; the log line has it in its field `api` */
  fields(values: Readonly<{ [name in MetricName]?: number | undefined }>, api?: ApiName): MetricFields;
  add(name: MetricName, value?: number): void;
  /** Writes everything that was added as one line without a message. */
  flush(): void;
}

export const createMetrics = (config: { readonly STAGE: string }): MetricsRecorder => {
  const options = { defaultDimensions: { stage: config.STAGE } };
  const collected = new Metrics(options);
  const ofOneLine = new Metrics(options);
  const counts = new Map<MetricName, number>();
  return {
    fields: (values, api) => {
      if (api !== undefined) ofOneLine.addDimension('api', api);
      for (const name of Object.keys(values) as MetricName[]) {
        const value = values[name];
        if (value !== undefined) ofOneLine.addMetric(name, units[name], value);
      }
      const { service: _service, stage: _stage, api: _api, ...fields } = ofOneLine.serializeMetrics();
      ofOneLine.clearMetrics();
      ofOneLine.clearDimensions();
      return fields;
    },
    add: (name, value = 1) => {
      if (units[name] === MetricUnit.Count) counts.set(name, (counts.get(name) ?? 0) + value);
      else collected.addMetric(name, units[name], value);
    },
    flush: () => {
      for (const [name, count] of counts) collected.addMetric(name, units[name], count);
      counts.clear();
      if (collected.hasStoredMetrics()) collected.publishStoredMetrics();
    },
  };
};

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** Every metric and its unit (docs/contracts/logs.md). */
const units = {
  WebhookAccepted: MetricUnit.Count,
  WebhookRefused: MetricUnit.Count,
  WebhookDuplicate: MetricUnit.Count,
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
  CircuitOpen: MetricUnit.Count,
  EndToEndLatency: MetricUnit.Milliseconds,
  SyncUsersSent: MetricUnit.Count,
  SyncUsersFailed: MetricUnit.Count,
  SyncContactsWritten: MetricUnit.Count,
  SyncRejectedRows: MetricUnit.Count,
} as const;

export type MetricName = keyof typeof units;

/** Metrics of one Lambda, in the namespace `MarketplacePipeline`, with the dimensions `service` and `stage`. */
export interface MetricsRecorder {
  add(name: MetricName, value?: number): void;
  /** Adds 1, with the additional dimension `api`. */
  addForApi(name: 'ApiRetry', api: string): void;
  /** Writes all metrics of an invocation as one EMF line. */
  flush(): void;
}

export const createMetrics = (config: { readonly STAGE: string }): MetricsRecorder => {
  const metrics = new Metrics({ defaultDimensions: { stage: config.STAGE } });
  return {
    add: (name, value = 1) => metrics.addMetric(name, units[name], value),
    addForApi: (name, api) => {
      metrics.singleMetric().addDimension('api', api).addMetric(name, units[name], 1);
    },
    flush: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
};

import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from './config';

/** Namespace of the metrics that the Lambdas write to their logs (embedded metric format). */
export const metricsNamespace = 'MarketplacePipeline';

interface MetricOptions {
  readonly statistic: string;
  readonly period: Duration;
  /** An additional dimension: the API that the metric is about. */
  readonly api?: string;
}

/**
 * A custom metric of a Lambda, with the dimensions `service` and `stage`, and `api` if it is given.
 *
 * @param service name of the Lambda, e.g. `webhook`
 * @param metricName e.g. `OrderFailed`
 */
export const pipelineMetric = (
  config: Config,
  service: string,
  metricName: string,
  { api, ...options }: MetricOptions,
): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { service, stage: config.stage, ...(api !== undefined && { api }) },
    ...options,
  });

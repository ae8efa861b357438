import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from './config';

/** Namespace of the metrics that the Lambdas write to their logs (embedded metric format). */
export const metricsNamespace = 'MarketplacePipeline';

interface MetricOptions {
  readonly statistic: string;
  readonly period: Duration;
}

/**
 * A custom metric of a Lambda, with the dimensions `service` and `stage`.
 *
 * @param service name of the Lambda, e.g. `webhook`
 * @param metricName e.g. `OrderFailed`
 */
export const pipelineMetric = (config: Config, service: string, metricName: string, options: MetricOptions): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { service, stage: config.stage },
    ...options,
  });

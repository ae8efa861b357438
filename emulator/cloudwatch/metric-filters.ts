import * as z from 'zod';
import type { Application } from '../application';
import { compileFilterPattern } from '../logs/filter-pattern';
import type { Metric } from './metric-store';

const metricFilterSchema = z.strictObject({
  FilterName: z.string().optional(),
  LogGroupName: z.string(),
  FilterPattern: z.string(),
  MetricTransformations: z
    .array(
      z.strictObject({
        MetricNamespace: z.string(),
        MetricName: z.string(),
        // Values from a field, such as `$.duration`, and dimensions are not supported.
        MetricValue: z.string().regex(/^-?\d+(\.\d+)?$/, 'only a number is supported'),
        DefaultValue: z.coerce.number().optional(),
        Unit: z.string().default('None'),
      }),
    )
    .length(1),
});

/** A metric that counts lines of a log group. */
export interface MetricFilter {
  readonly metric: Metric;
  readonly unit: string;
  readonly value: number;
  /** Published for a line that does not match. */
  readonly defaultValue: number | undefined;
  matches(message: string): boolean;
}

/** Reads the metric filters of an application: log group → its filters. */
export const readMetricFilters = (application: Application): ReadonlyMap<string, readonly MetricFilter[]> => {
  const filters = new Map<string, MetricFilter[]>();
  for (const { properties } of application.resources(['AWS::Logs::MetricFilter'], metricFilterSchema)) {
    const { LogGroupName, FilterPattern, MetricTransformations } = properties;
    const matches = compileFilterPattern(FilterPattern);
    const ofGroup = MetricTransformations.map((target) => ({
      metric: { namespace: target.MetricNamespace, name: target.MetricName, dimensions: {} },
      unit: target.Unit,
      value: Number(target.MetricValue),
      defaultValue: target.DefaultValue,
      matches,
    }));
    filters.set(LogGroupName, [...(filters.get(LogGroupName) ?? []), ...ofGroup]);
  }
  return filters;
};

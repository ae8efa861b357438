import * as z from 'zod';
import { type Aggregate, addTo, aggregateOf } from './aggregate';
import type { Metric } from './metric-store';

const metadataSchema = z.object({
  /** Unix time in ms. */
  Timestamp: z.number(),
  CloudWatchMetrics: z.array(
    z.object({
      Namespace: z.string().min(1),
      Dimensions: z.array(z.array(z.string()).max(30)).default([[]]),
      Metrics: z.array(z.object({ Name: z.string().min(1), Unit: z.string().default('None') })).max(100),
    }),
  ),
});
/** A value that a log line publishes. */
export interface EmbeddedMetric extends Metric {
  readonly values: Aggregate;
  readonly unit: string;
  /** Unix time in ms, of the clock of the process that wrote the line. */
  readonly timestamp: number;
}

/**
 * Reads the metrics that a log line publishes in the embedded metric format. A line in another format publishes none. A
 * metric without a numeric value, or with a dimension that the line lacks, is left out, as CloudWatch does.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export const readEmbeddedMetrics = (message: string): EmbeddedMetric[] => {
  // Most lines publish nothing. This test costs a fraction of a microsecond.
  if (!message.includes('"CloudWatchMetrics"')) return [];
  const line = parseObject(message);
  const metadata = metadataSchema.safeParse(line._aws).data;
  if (!metadata) return [];
  return metadata.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = names.map((name) => [name, textOf(line[name])] as const);
      if (dimensions.some(([, value]) => value === undefined)) return [];
      return Metrics.flatMap(({ Name, Unit }) => {
        const values = numbersIn(line[Name]);
        if (values.length === 0 || values.length > maxValues) return [];
        return {
          namespace: Namespace,
          name: Name,
          unit: Unit,
          timestamp: metadata.Timestamp,
          dimensions: Object.fromEntries(dimensions.map(([name, value]) => [name, value ?? ''])),
          values: aggregateAll(values),
        };
      });
    }),
  );
};

const aggregateAll = ([first = 0, ...others]: readonly number[]): Aggregate => {
  const values = aggregateOf(first, 1);
  for (const value of others) addTo(values, aggregateOf(value, 1));
  return values;
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

const maxValues = 100;

/** Not a schema: it would take most of the time of a line. */
const numbersIn = (value: unknown): number[] => {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const numbers = values.filter((one) => typeof one === 'number');
  return numbers.length === values.length ? numbers : [];
};

const parseObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};

import * as z from 'zod';
import { type Action, action, pageOf, ServiceError } from '../json-service';
import { type Aggregate, addTo, aggregateOf } from './aggregate';
import type { Clock } from './clock';
import { MetricMathError } from './metric-math';
import {
  type CompiledQueries,
  compileQueries,
  dimensionsSchema,
  type MetricQuery,
  MetricQueryError,
  metricQuerySchema,
  toDimensions,
} from './metric-queries';
import { hourMs, type Metric, type MetricStore } from './metric-store';

/** Unix time in seconds. */
const time = z.number();
const maxValuesPerPage = 100_800;

const datumSchema = z.strictObject({
  MetricName: z.string().min(1),
  Dimensions: dimensionsSchema.max(30).default([]),
  Timestamp: time.optional(),
  Value: z.number().optional(),
  Values: z.array(z.number()).max(150).optional(),
  Counts: z.array(z.number()).max(150).optional(),
  Unit: z.string().default('None'),
  StorageResolution: z.number().optional(),
});

/** Creates the actions that write and read metrics. */
export const createMetricActions = (store: MetricStore, clock: Clock): Readonly<Record<string, Action>> => ({
  PutMetricData: action(
    { Namespace: z.string().min(1), MetricData: z.array(datumSchema).max(1_000) },
    ({ Namespace, MetricData }) => {
      if (Namespace.startsWith('AWS/')) {
        throw new ServiceError('InvalidParameterValue', 'The value AWS/ for parameter Namespace is invalid.');
      }
      const data = MetricData.map((datum) => ({ datum, values: valuesOf(datum) }));
      for (const { datum, values } of data) {
        const metric = { namespace: Namespace, name: datum.MetricName, dimensions: toDimensions(datum.Dimensions) };
        const atMs = datum.Timestamp === undefined ? clock.now() : datum.Timestamp * 1_000;
        store.record(metric, values, atMs, datum.Unit);
      }
      return {};
    },
  ),

  GetMetricData: action(
    {
      MetricDataQueries: z.array(metricQuerySchema).min(1).max(500),
      StartTime: time,
      EndTime: time,
      ScanBy: z.enum(['TimestampAscending', 'TimestampDescending']).default('TimestampDescending'),
      MaxDatapoints: z.int().positive().max(maxValuesPerPage).default(maxValuesPerPage),
    },
    ({ MetricDataQueries, StartTime, EndTime, ScanBy, MaxDatapoints }) => {
      const queries = orInvalid(() => compileQueries(MetricDataQueries));
      const results = MetricDataQueries.filter(({ ReturnData }) => ReturnData).map((query) => {
        const { periodMs, startMs, length } = timelineOf(queries, query.Id, StartTime, EndTime);
        const series = orInvalid(() => queries.evaluate(store, query.Id, { startMs, periodMs, length }));
        const points = series.flatMap((value, index) =>
          value === undefined ? [] : { at: (startMs + index * periodMs) / 1_000, value },
        );
        return { query, points: ScanBy === 'TimestampAscending' ? points : points.reverse() };
      });
      if (results.reduce((sum, { points }) => sum + points.length, 0) > MaxDatapoints) {
        throw new ServiceError(
          'ValidationError',
          'The embedded AWS does not split the result of GetMetricData in pages.',
        );
      }
      return {
        MetricDataResults: results.map(({ query, points }) => ({
          Id: query.Id,
          Label: labelOf(query),
          Timestamps: points.map(({ at }) => at),
          Values: points.map(({ value }) => value),
          StatusCode: 'Complete',
        })),
        Messages: [],
      };
    },
  ),

  ListMetrics: action(
    {
      Namespace: z.string().optional(),
      MetricName: z.string().optional(),
      Dimensions: z.array(z.strictObject({ Name: z.string(), Value: z.string().optional() })).default([]),
      RecentlyActive: z.literal('PT3H').optional(),
      NextToken: z.string().optional(),
    },
    ({ Namespace, MetricName, Dimensions, RecentlyActive, NextToken }) => {
      const wanted = store
        .list()
        .filter(({ namespace, name }) => (Namespace ?? namespace) === namespace && (MetricName ?? name) === name)
        .filter(({ dimensions }) => Dimensions.every(({ Name, Value }) => hasDimension(dimensions, Name, Value)))
        .filter(({ newestMs }) => RecentlyActive === undefined || newestMs >= clock.now() - 3 * hourMs);
      const { items, nextToken } = pageOf(wanted, 500, NextToken);
      return { Metrics: items.map(toMetric), ...(nextToken !== undefined && { NextToken: nextToken }) };
    },
  ),
});

/** The identity of a metric, as the API has it. */
export const toMetric = ({ namespace, name, dimensions }: Metric) => ({
  Namespace: namespace,
  MetricName: name,
  Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
});

const hasDimension = (dimensions: Metric['dimensions'], name: string, value: string | undefined): boolean =>
  Object.hasOwn(dimensions, name) && (value ?? dimensions[name]) === dimensions[name];

const labelOf = ({ Id, Label, MetricStat }: MetricQuery): string => Label ?? MetricStat?.Metric.MetricName ?? Id;

/** The periods between two times, from the start of the first one that begins in an earlier period. */
const timelineOf = (queries: CompiledQueries, id: string, startTime: number, endTime: number) => {
  const periodMs = queries.periodMs(id);
  const startMs = Math.floor((startTime * 1_000) / periodMs) * periodMs;
  const length = Math.max(0, Math.ceil((endTime * 1_000 - startMs) / periodMs));
  return { periodMs, startMs, length };
};

const valuesOf = ({ Value, Values, Counts, MetricName }: z.infer<typeof datumSchema>): Aggregate => {
  const values = Values ?? (Value === undefined ? [] : [Value]);
  const counts = Counts ?? values.map(() => 1);
  const [first, ...others] = values.map((value, index) => aggregateOf(value, counts[index] ?? 1));
  if (first === undefined || (Value !== undefined && Values !== undefined) || counts.length !== values.length) {
    const rule = `The metric ${MetricName} needs either a Value, or Values with as many Counts.`;
    throw new ServiceError('InvalidParameterCombination', rule);
  }
  for (const other of others) addTo(first, other);
  return first;
};

const orInvalid = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw error instanceof MetricQueryError || error instanceof MetricMathError
      ? new ServiceError('ValidationError', error.message)
      : error;
  }
};

import * as z from 'zod';
import { type Statistic, statisticNamed } from './aggregate';
import { compileMetricMath, type Expression, MetricMathError, type Series } from './metric-math';
import type { Metric, MetricStore, Timeline } from './metric-store';

export const dimensionsSchema = z.array(z.strictObject({ Name: z.string(), Value: z.coerce.string() }));

/** Periods below a minute need metrics of high resolution. */
export const periodSchema = z.coerce
  .number()
  .int()
  .multipleOf(60, 'only periods of whole minutes are supported')
  .min(60);

/** `MetricDataQuery`, in a request and in a template. */
export const metricQuerySchema = z.strictObject({
  Id: z.string().regex(/^[a-z]\w*$/),
  Label: z.string().optional(),
  ReturnData: z.boolean().default(true),
  Expression: z.string().optional(),
  Period: periodSchema.optional(),
  MetricStat: z
    .strictObject({
      Metric: z.strictObject({
        Namespace: z.string(),
        MetricName: z.string(),
        Dimensions: dimensionsSchema.default([]),
      }),
      Period: periodSchema,
      Stat: z.string(),
      Unit: z.string().optional(),
    })
    .optional(),
});
export type MetricQuery = z.infer<typeof metricQuerySchema>;

/** Thrown for queries that cannot be evaluated. The message is one sentence. */
export class MetricQueryError extends Error {}

/** Queries that belong together: their expressions refer to each other's ids. */
export interface CompiledQueries {
  /** The period of a query; that of its metrics if it is an expression. */
  periodMs(id: string): number;
  /** The metrics that are read. */
  readonly metrics: readonly Metric[];
  evaluate(store: MetricStore, id: string, timeline: Timeline): Series;
}

export const toDimensions = (list: z.infer<typeof dimensionsSchema>): Record<string, string> =>
  Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]));

/**
 * Checks and compiles queries.
 * @throws {MetricQueryError} for an unknown id, a statistic or expression that is not supported, or different periods
 */
export const compileQueries = (queries: readonly MetricQuery[]): CompiledQueries => {
  const compiled = new Map(queries.map((query) => [query.Id, compile(query)]));
  refuseUnknownIds(compiled);
  const metricIds = [...compiled].filter(([, query]) => 'metric' in query).map(([id]) => id);

  const periodsOf = (id: string): number[] => {
    const query = compiled.get(id);
    if (query === undefined) return [];
    if ('metric' in query) return [query.periodSeconds];
    const ids = query.expression.readsAll ? metricIds : query.expression.ids;
    return [query.periodSeconds ?? [], ids.map(periodsOf)].flat(2);
  };
  const periods = new Map(
    [...compiled.keys()].map((id) => {
      const [seconds = 60, ...others] = new Set(periodsOf(id));
      if (others.length > 0) {
        const all = [seconds, ...others].join(', ');
        throw new MetricQueryError(`The embedded AWS does not combine metrics with different periods: ${all}.`);
      }
      return [id, seconds];
    }),
  );

  const evaluate = (store: MetricStore, id: string, timeline: Timeline): Series => {
    const query = compiled.get(id);
    if (!query) throw new MetricQueryError(`There is no metric with the id ${id}.`);
    if ('metric' in query) return store.read(query.metric, query.statistic, timeline, query.unit);
    return query.expression.evaluate({
      metricIds,
      series: (other) => evaluate(store, other, timeline),
      length: timeline.length,
      periodSeconds: timeline.periodMs / 1_000,
    });
  };
  return {
    periodMs: (id) => (periods.get(id) ?? 60) * 1_000,
    metrics: [...compiled.values()].flatMap((query) => ('metric' in query ? query.metric : [])),
    evaluate,
  };
};

type Compiled =
  | {
      readonly metric: Metric;
      readonly statistic: Statistic;
      readonly unit: string | undefined;
      readonly periodSeconds: number;
    }
  | { readonly expression: Expression; readonly periodSeconds: number | undefined };

const compile = ({ Id, Expression, MetricStat, Period }: MetricQuery): Compiled => {
  if ((Expression === undefined) === (MetricStat === undefined)) {
    throw new MetricQueryError(`The query ${Id} needs either an Expression or a MetricStat.`);
  }
  if (MetricStat === undefined) {
    try {
      return { expression: compileMetricMath(Expression ?? ''), periodSeconds: Period };
    } catch (error) {
      throw error instanceof MetricMathError ? new MetricQueryError(error.message) : error;
    }
  }
  const { Metric, Stat, Unit } = MetricStat;
  const statistic = statisticNamed(Stat);
  if (!statistic) throw new MetricQueryError(`The embedded AWS does not support the statistic ${Stat}.`);
  const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions: toDimensions(Metric.Dimensions) };
  return { metric, statistic, unit: Unit, periodSeconds: MetricStat.Period };
};

/** Also refuses expressions that refer to themselves. */
const refuseUnknownIds = (compiled: ReadonlyMap<string, Compiled>): void => {
  const check = (id: string, path: readonly string[]) => {
    const query = compiled.get(id);
    if (!query) throw new MetricQueryError(`There is no metric with the id ${id}.`);
    if (path.includes(id)) throw new MetricQueryError(`The expression ${id} refers to itself.`);
    if ('expression' in query) for (const other of query.expression.ids) check(other, [...path, id]);
  };
  for (const id of compiled.keys()) check(id, []);
};

import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { type ChartDefinition, chartsOf } from './charts';
import type { StageConnection } from './stage-connection';

/** How long the charts reach back, and the time between two of their points. CloudWatch keeps minutes for 15 days. */
export const chartPeriods = {
  '3h': { hours: 3, stepSeconds: 60 },
  '24h': { hours: 24, stepSeconds: 300 },
  '7d': { hours: 7 * 24, stepSeconds: 1_800 },
  '30d': { hours: 30 * 24, stepSeconds: 3_600 },
} as const;

export type ChartPeriod = keyof typeof chartPeriods;

/** A chart with its values. */
export interface Chart extends Pick<ChartDefinition, 'title' | 'unit'> {
  /** A value for each time of the charts; null if there is none. */
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

/** The charts of a stage. */
export interface Charts {
  /** Epoch seconds, the oldest first. */
  readonly times: readonly number[];
  readonly charts: readonly Chart[];
}

/** Reads the charts of a stage. CloudWatch charges 0.01 USD per 1,000 series. */
export const readCharts = async (stage: StageConnection, period: ChartPeriod, nowMs: number): Promise<Charts> => {
  const { hours, stepSeconds } = chartPeriods[period];
  const endSeconds = (Math.floor(nowMs / 1_000 / stepSeconds) + 1) * stepSeconds;
  const points = (hours * 3_600) / stepSeconds;
  const times = Array.from({ length: points }, (_, index) => endSeconds - (points - index) * stepSeconds);
  const definitions = chartsOf(stage);
  const idOf = (chart: number, series: number): string => `c${chart}_${series}`;
  const values = new Map<string, Map<number, number>>();
  const pages = paginateGetMetricData(
    { client: stage.cloudWatch },
    {
      StartTime: new Date((times[0] ?? endSeconds) * 1_000),
      EndTime: new Date(endSeconds * 1_000),
      MetricDataQueries: definitions.flatMap(({ series }, chart) =>
        series.map(({ namespace, metric, dimensions, statistic }, index) => ({
          Id: idOf(chart, index),
          MetricStat: {
            Metric: {
              Namespace: namespace,
              MetricName: metric,
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: stepSeconds,
            Stat: statistic,
          },
        })),
      ),
    },
  );
  for await (const { MetricDataResults = [] } of pages) {
    for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
      const ofSeries = values.get(Id) ?? new Map<number, number>();
      values.set(Id, ofSeries);
      for (const [index, at] of Timestamps.entries()) ofSeries.set(at.getTime() / 1_000, Values[index] ?? 0);
    }
  }
  return {
    times,
    charts: definitions.map(({ title, unit, isCounted, series }, chart) => ({
      title,
      unit,
      series: series.map(({ label }, index) => {
        const ofSeries = values.get(idOf(chart, index));
        return { label, values: times.map((time) => ofSeries?.get(time) ?? (isCounted ? 0 : null)) };
      }),
    })),
  };
};

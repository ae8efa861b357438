import { type Aggregate, addTo, aggregateOf, copyOf, type Statistic } from './aggregate';

/** The identity of a metric. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What is known of a metric. */
export interface StoredMetric extends Metric {
  /** The unit of its newest value. */
  unit: string;
  /** Unix time in ms of its newest period. */
  newestMs: number;
  /** Start of a period, Unix time in ms → its values. */
  readonly periods: Map<number, Aggregate>;
}

/** Consecutive periods of equal length. */
export interface Timeline {
  /** Unix time in ms of the start of the first period: a whole minute. */
  readonly startMs: number;
  readonly periodMs: number;
  readonly length: number;
}

/** The metrics of an application. */
export interface MetricStore {
  /** @param atMs Unix time in ms of the clock of CloudWatch */
  record(metric: Metric, value: number | Aggregate, atMs: number, unit?: string): void;
  /** The statistic of each period; undefined where the metric has no values. */
  read(metric: Metric, statistic: Statistic, timeline: Timeline, unit?: string): (number | undefined)[];
  list(): StoredMetric[];
  /** Forgets what nothing reads anymore. */
  forget(nowMs: number): void;
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/**
 * Alarms with periods below an hour look back at most a day, all others at most a week. Alarms also look at two periods
 * before theirs.
 */
const minutesKeptMs = 28 * hourMs;
const hoursKeptMs = 8 * 24 * hourMs;

export const keyOf = ({ namespace, name, dimensions }: Metric): string =>
  JSON.stringify([namespace, name, ...Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);

/**
 * Creates a store in memory. It keeps minutes for 28 hours, and then hours for 8 days. Older values are forgotten.
 */
export const createMetricStore = (): MetricStore => {
  const metrics = new Map<string, StoredMetric>();
  const keys = new WeakMap<Metric, string>();

  const add = (periods: Map<number, Aggregate>, startMs: number, values: Aggregate) => {
    const period = periods.get(startMs);
    if (period) addTo(period, values);
    else periods.set(startMs, copyOf(values));
  };

  return {
    record(metric, value, atMs, unit = 'None') {
      const key = keys.get(metric) ?? keyOf(metric);
      keys.set(metric, key);
      const stored = metrics.get(key) ?? { ...metric, unit, newestMs: 0, periods: new Map() };
      metrics.set(key, stored);
      const startMs = Math.floor(atMs / minuteMs) * minuteMs;
      stored.unit = unit;
      stored.newestMs = Math.max(stored.newestMs, startMs);
      add(stored.periods, startMs, typeof value === 'number' ? aggregateOf(value, 1) : value);
    },
    read(metric, statistic, { startMs, periodMs, length }, unit) {
      const stored = metrics.get(keyOf(metric));
      const isWanted = stored && (unit === undefined || unit === stored.unit);
      return Array.from({ length }, (_, index) => {
        const period = isWanted ? merge(stored.periods, startMs + index * periodMs, periodMs) : undefined;
        return period && statistic(period);
      });
    },
    list: () => [...metrics.values()],
    forget(nowMs) {
      for (const [key, { periods }] of metrics) {
        for (const [startMs, values] of [...periods].filter(([startMs]) => startMs < nowMs - minutesKeptMs)) {
          const hour = Math.floor(startMs / hourMs) * hourMs;
          if (startMs < nowMs - hoursKeptMs) periods.delete(startMs);
          else if (startMs !== hour) {
            periods.delete(startMs);
            add(periods, hour, values);
          }
        }
        if (periods.size === 0) metrics.delete(key);
      }
    },
  };
};

const merge = (periods: ReadonlyMap<number, Aggregate>, startMs: number, periodMs: number): Aggregate | undefined => {
  if (periodMs === minuteMs) return periods.get(startMs);
  let merged: Aggregate | undefined;
  for (let at = startMs; at < startMs + periodMs; at += minuteMs) {
    const values = periods.get(at);
    if (!values) continue;
    if (merged) addTo(merged, values);
    else merged = copyOf(values);
  }
  return merged;
};

import * as z from 'zod';
import type { Application } from '../application';
import { type Action, action, type JsonService, serveJsonService } from '../json-service';
import type { LoopbackServer } from '../loopback-server';
import type { Overrides } from '../overrides';
import { createAlarmActions } from './alarm-actions';
import { readAlarms } from './alarm-definition';
import { type Alarms, createAlarms, type Publish } from './alarms';
import { type Clock, createClock } from './clock';
import { readEmbeddedMetrics } from './embedded-metrics';
import { createMetricActions } from './metric-actions';
import { type MetricFilter, readMetricFilters } from './metric-filters';
import { createMetricStore, hourMs, type Metric, minuteMs } from './metric-store';

const service: JsonService = {
  name: 'CloudWatch',
  targetPrefix: 'GraniteServiceVersion20100801',
  version: '1.0',
  validationError: 'ValidationError',
  tokenError: 'InvalidNextToken',
};

/** Longest time by which a request can advance the clock: no alarm looks back further. */
const maxMinutes = 7 * 24 * 60;

/** CloudWatch without its logs: the metrics and alarms of an application. */
export interface CloudWatch extends LoopbackServer {
  readonly clock: Clock;
  /**
   * Reads the metric filters and the alarms of the application. Until then, all requests fail.
   * @param overrides keeps the alarms whose actions were disabled or enabled
   * @throws {Error} for what the embedded AWS does not support
   */
  load(application: Application, overrides: Overrides): void;
  /** Records a value of a service's metric, as of now. */
  record(metric: Metric, value: number, unit: string): void;
  /** Records the metrics that a line publishes, and those that count the lines of its log group. */
  readLine(logGroup: string, message: string): void;
  /** `measure` is called at the end of each minute, and records what a service measures once a minute. */
  onMinute(measure: (record: CloudWatch['record'], endMs: number) => void): void;
  /** Advances the clock minute by minute, and evaluates the alarms each time. */
  advance(minutes: number): Promise<void>;
}

/**
 * Serves CloudWatch. Metrics, and the states of alarms, are in memory only.
 * @param publish sends a notification to an SNS topic
 */
export const startCloudWatch = async (
  publish: Publish,
  preferredPort?: number,
  realNow?: () => number,
): Promise<CloudWatch> => {
  const clock = createClock(realNow);
  const store = createMetricStore();
  const measures: Parameters<CloudWatch['onMinute']>[0][] = [];
  let filters: ReadonlyMap<string, readonly MetricFilter[]> = new Map();
  let alarms: Alarms | undefined;
  let actions: Readonly<Record<string, Action>> | undefined;

  const endMinute = () => {
    const endMs = Math.floor(clock.now() / minuteMs) * minuteMs;
    for (const measure of measures) {
      measure((metric, value, unit) => store.record(metric, value, endMs - 1, unit), endMs);
    }
    alarms?.evaluate(endMs);
    if (endMs % hourMs === 0) store.forget(endMs);
  };
  const advance = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      clock.advance(minuteMs);
      endMinute();
      // Other services work in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const control: Readonly<Record<string, Action>> = {
    'POST /_control/advance': action({ minutes: z.int().min(1).max(maxMinutes) }, async ({ minutes }) => {
      await advance(minutes);
      return { now: new Date(clock.now()).toISOString() };
    }),
  };

  const server = await serveJsonService({ ...service, control }, () => actions, preferredPort);
  let timer: NodeJS.Timeout;
  const waitForMinute = () => {
    timer = setTimeout(
      () => {
        endMinute();
        waitForMinute();
      },
      minuteMs - (clock.now() % minuteMs),
    ).unref();
  };
  waitForMinute();

  return {
    ...server,
    clock,
    load(application, overrides) {
      filters = readMetricFilters(application);
      alarms = createAlarms(readAlarms(application), { store, overrides, publish, now: clock.now });
      actions = { ...createMetricActions(store, clock), ...createAlarmActions(alarms) };
    },
    record: (metric, value, unit) => store.record(metric, value, clock.now(), unit),
    readLine(logGroup, message) {
      for (const { values, unit, timestamp, ...metric } of readEmbeddedMetrics(message)) {
        store.record(metric, values, clock.at(timestamp), unit);
      }
      for (const { metric, value, defaultValue, unit, matches } of filters.get(logGroup) ?? []) {
        const counted = matches(message) ? value : defaultValue;
        if (counted !== undefined) store.record(metric, counted, clock.now(), unit);
      }
    },
    onMinute: (measure) => measures.push(measure),
    advance,
    async stop() {
      clearTimeout(timer);
      await server.stop();
    },
  };
};

import * as z from 'zod';
import type { Application } from '../application';
import { arnOf } from '../resource-types';
import {
  type CompiledQueries,
  compileQueries,
  dimensionsSchema,
  type MetricQuery,
  MetricQueryError,
  metricQuerySchema,
  periodSchema,
} from './metric-queries';
import { canHaveValues } from './recorded-metrics';

const comparisons = {
  GreaterThanThreshold: { phrase: 'greater than', isBreaching: (value: number, limit: number) => value > limit },
  GreaterThanOrEqualToThreshold: {
    phrase: 'greater than or equal to',
    isBreaching: (value: number, limit: number) => value >= limit,
  },
  LessThanThreshold: { phrase: 'less than', isBreaching: (value: number, limit: number) => value < limit },
  LessThanOrEqualToThreshold: {
    phrase: 'less than or equal to',
    isBreaching: (value: number, limit: number) => value <= limit,
  },
} as const;

const topics = z.array(z.string().startsWith('arn:aws:sns:', 'only SNS topics are supported as actions')).default([]);

const alarmSchema = z.strictObject({
  AlarmName: z.string().optional(),
  AlarmDescription: z.string().optional(),
  ActionsEnabled: z.boolean().default(true),
  AlarmActions: topics,
  OKActions: topics,
  InsufficientDataActions: topics,
  ComparisonOperator: z.enum([
    'GreaterThanThreshold',
    'GreaterThanOrEqualToThreshold',
    'LessThanThreshold',
    'LessThanOrEqualToThreshold',
  ]),
  Threshold: z.coerce.number(),
  EvaluationPeriods: z.coerce.number().int().positive(),
  DatapointsToAlarm: z.coerce.number().int().positive().optional(),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']).default('missing'),
  EvaluateLowSampleCountPercentile: z.literal('evaluate').optional(),
  Tags: z.unknown().optional(),
  // Either one metric, or several with expressions.
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: dimensionsSchema.optional(),
  Statistic: z.string().optional(),
  ExtendedStatistic: z.string().optional(),
  Period: periodSchema.optional(),
  Unit: z.string().optional(),
  Metrics: z.array(metricQuerySchema).optional(),
});

type Properties = z.infer<typeof alarmSchema>;

/** An alarm of the application's template. */
export interface AlarmDefinition {
  readonly name: string;
  readonly arn: string;
  /** As in the template. */
  readonly properties: Properties;
  readonly queries: CompiledQueries;
  /** The query whose result is compared with the threshold. */
  readonly resultId: string;
  readonly periodMs: number;
  /** Number of periods that are evaluated: N of "M out of N". */
  readonly evaluationPeriods: number;
  /** Number of breaching periods that raise the alarm: M of "M out of N". */
  readonly datapointsToAlarm: number;
  /** Describes the comparison, such as `greater than`. */
  readonly phrase: string;
  isBreaching(value: number): boolean;
}

/**
 * Reads the alarms of an application.
 * @throws {Error} naming the alarm, and what of it the embedded AWS does not support
 */
export const readAlarms = (application: Application): AlarmDefinition[] =>
  application.resources(['AWS::CloudWatch::Alarm'], alarmSchema).map(({ name, resource, properties }) => {
    try {
      return toDefinition(name, properties);
    } catch (error) {
      if (!(error instanceof MetricQueryError)) throw error;
      throw new Error(`${resource.stackName}: the alarm ${name}: ${error.message}`);
    }
  });

const dayMs = 24 * 3_600_000;

const toDefinition = (name: string, properties: Properties): AlarmDefinition => {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = properties;
  const list = queriesOf(properties);
  const [result, ...others] = list.filter(({ ReturnData }) => ReturnData);
  if (result === undefined || others.length > 0) {
    throw new MetricQueryError('exactly one of its metrics must return data.');
  }
  if (DatapointsToAlarm > EvaluationPeriods) {
    throw new MetricQueryError('DatapointsToAlarm is larger than EvaluationPeriods.');
  }
  const queries = compileQueries(list);
  const unknown = queries.metrics.find((metric) => !canHaveValues(metric));
  if (unknown) {
    const of = Object.keys(unknown.dimensions).join(', ');
    throw new MetricQueryError(`The embedded AWS does not record ${unknown.namespace} ${unknown.name} by ${of}.`);
  }
  const periodMs = queries.periodMs(result.Id);
  // The limits of CloudWatch.
  if (EvaluationPeriods * periodMs > (periodMs < 3_600_000 ? dayMs : 7 * dayMs)) {
    throw new MetricQueryError('it looks back further than a day, or with periods of at least an hour, than a week.');
  }
  const { phrase, isBreaching } = comparisons[ComparisonOperator];
  return {
    name,
    arn: arnOf('cloudwatch', `alarm:${name}`),
    properties,
    queries,
    resultId: result.Id,
    periodMs,
    phrase,
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm: DatapointsToAlarm,
    isBreaching: (value) => isBreaching(value, Threshold),
  };
};

const queriesOf = (properties: Properties): readonly MetricQuery[] => {
  const { Metrics, Namespace, MetricName, Dimensions = [], Period, Statistic, ExtendedStatistic, Unit } = properties;
  if (Metrics) return Metrics;
  const Stat = Statistic ?? ExtendedStatistic;
  if (Namespace === undefined || MetricName === undefined || Stat === undefined || Period === undefined) {
    throw new MetricQueryError('it needs Metrics, or a Namespace, a MetricName, a Period and a statistic.');
  }
  return [
    {
      Id: 'metric',
      ReturnData: true,
      MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, Unit },
    },
  ];
};

import * as z from 'zod';
import { createApplication } from '../../emulator/application';
import { readAssembly } from '../../emulator/assembly';
import { readAlarms } from '../../emulator/cloudwatch/alarm-definition';
import { readMetricFilters } from '../../emulator/cloudwatch/metric-filters';
import { canHaveValues } from '../../emulator/cloudwatch/recorded-metrics';
import { stages } from '../../lib/config';
import { noEndpoints } from '../support/roles';
import { assemblyOf } from './synth';

/** The metrics that Lambdas publish, with their dimensions (docs/contracts/logs.md). */
const pipelineDimensions = ['service,stage', 'api,service,stage'];

/** Metrics of AWS that only the dashboard reads, which nothing shows on one machine. */
const notRecorded = ['AWS/DynamoDB ConsumedReadCapacityUnits', 'AWS/DynamoDB ConsumedWriteCapacityUnits'];

const dashboardSchema = z.object({
  widgets: z.array(z.object({ properties: z.object({ metrics: z.array(z.array(z.unknown())).default([]) }) })),
});
/** Namespace, name, and pairs of a dimension's name and value. */
const metricSchema = z.tuple([z.string(), z.string()]).rest(z.string());

/** The metrics in the graphs of a dashboard, without those of expressions. */
const metricsOf = (body: string) =>
  dashboardSchema
    .parse(JSON.parse(body))
    .widgets.flatMap(({ properties }) => properties.metrics)
    .map((entry) => metricSchema.safeParse(entry.filter((part) => typeof part === 'string')).data)
    .flatMap((entry) => {
      if (entry === undefined) return [];
      const [namespace, name, ...pairs] = entry;
      const names = pairs.filter((_, index) => index % 2 === 0);
      return { namespace, name, dimensions: Object.fromEntries(names.map((dimension) => [dimension, ''])) };
    });

describe.each(stages)('%s', (stage) => {
  const application = createApplication(readAssembly(assemblyOf(stage)), noEndpoints);
  const counted = [...readMetricFilters(application).values()].flat().map(({ metric }) => metric.name);

  test('the embedded AWS evaluates every alarm', () => {
    const names = application.resources(['AWS::CloudWatch::Alarm'], z.object({})).map(({ name }) => name);
    const alarms = readAlarms(application);
    expect(alarms.map(({ name }) => name)).toEqual(names);
    for (const { name, queries } of alarms) {
      const unknown = queries.metrics
        .filter(({ namespace }) => !namespace.startsWith('AWS/'))
        .filter(
          (metric) =>
            !counted.includes(metric.name) &&
            !pipelineDimensions.includes(Object.keys(metric.dimensions).sort().join()),
        );
      expect({ name, unknown }).toEqual({ name, unknown: [] });
    }
  });

  test('the embedded AWS records what the dashboard shows', () => {
    const schema = z.object({ DashboardBody: z.string() });
    const metrics = application
      .resources(['AWS::CloudWatch::Dashboard'], schema)
      .flatMap(({ properties }) => metricsOf(properties.DashboardBody));
    expect(metrics.length).toBeGreaterThan(50);
    const unknown = metrics
      .filter((metric) => !canHaveValues(metric))
      .map(({ namespace, name }) => `${namespace} ${name}`);
    expect([...new Set(unknown)].sort()).toEqual(notRecorded);
  });
});

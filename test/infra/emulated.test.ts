import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { synthesize } from './synth';
import { synthesizeEmulated } from './synth-emulated';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
const metricsSchema = z.array(z.object({ MetricStat: z.unknown().optional() }));
const resourcesOf = (template: Template) =>
  Object.entries(templateSchema.parse(template.toJSON()).Resources).map(([id, resource]) => ({ id, ...resource }));
const typesOf = (template: Template) =>
  resourcesOf(template)
    .map(({ Type }) => Type)
    .sort();

const environment = {
  QUALIA_API_URL: 'http://127.0.0.1:1/api/vendor/graphql',
  INTERNAL_API_URL: 'http://127.0.0.1:2/orders',
  NETLIFE_BASE_URL: 'http://127.0.0.1:3/{portal}/api/v1',
  ITERABLE_API_BASE_URL: 'http://127.0.0.1:4',
  DATABASE_URL: 'sqlite:/tmp/users.sqlite',
};
const dev = synthesize('dev');
const emulated = synthesizeEmulated(environment);

test.each(['data', 'orderPipeline', 'syncJobs'] as const)('the emulated stage has all resources of %s', (stack) => {
  expect(typesOf(emulated[stack])).toEqual(typesOf(dev[stack]));
});

test('it has everything except saved queries and sampling rules', () => {
  const present = new Set(resourcesOf(emulated.observability).map(({ id }) => id));
  const lacking = resourcesOf(dev.observability).filter(({ Type }) =>
    ['AWS::Logs::QueryDefinition', 'AWS::XRay::SamplingRule'].includes(Type),
  );
  const leftOut = resourcesOf(dev.observability).filter(({ id }) => !present.has(id));
  expect(leftOut).toEqual(lacking);
  expect(new Set(leftOut.map(({ Type }) => Type)).size).toBe(2);
});

test('its alarms on expressions use the first metric instead, and are equal otherwise', () => {
  const alarmsOf = (template: Template) =>
    new Map(
      resourcesOf(template).flatMap(({ id, Type, Properties }) =>
        Type === 'AWS::CloudWatch::Alarm' ? [[id, Properties] as const] : [],
      ),
    );
  const deployed = alarmsOf(dev.observability);
  const expressions = [...deployed].filter(([, { Metrics }]) => Metrics !== undefined);
  expect(expressions.length).toBeGreaterThan(3);
  for (const [id, properties] of alarmsOf(emulated.observability)) {
    const { Namespace, MetricName, Dimensions, Period, Statistic, ...rest } = properties;
    const { Metrics, ...expected } = deployed.get(id) ?? {};
    if (Metrics === undefined) {
      expect(properties).toEqual(expected);
    } else {
      expect(rest).toEqual(expected);
      const [first] = metricsSchema.parse(Metrics).flatMap(({ MetricStat }) => MetricStat ?? []);
      expect({ Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic }).toEqual(first);
    }
  }
});

test('its roles have no permissions boundary, because no administrator created the policy', () => {
  const roles = (['orderPipeline', 'syncJobs'] as const).flatMap((stack) => resourcesOf(emulated[stack]));
  expect(roles.filter(({ Properties }) => Properties.PermissionsBoundary !== undefined)).toEqual([]);
});

test('it calls only servers of this machine', () => {
  for (const wrong of ['https://marketplace.qualia.io/api', 'http://example.com/api', undefined]) {
    expect(() => synthesizeEmulated({ ...environment, QUALIA_API_URL: wrong })).toThrow(
      'must be an http URL of 127.0.0.1',
    );
  }
});

test('its Lambdas call the simulators and read the sample users', () => {
  const environmentSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });
  const variables = [emulated.orderPipeline, emulated.syncJobs]
    .flatMap(resourcesOf)
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map(({ Properties }) => environmentSchema.parse(Properties.Environment).Variables);
  expect(Object.assign({}, ...variables)).toMatchObject({
    QUALIA_API_URL: 'http://127.0.0.1:1/api/vendor/graphql',
    INTERNAL_API_URL: 'http://127.0.0.1:2/orders',
    NETLIFE_BASE_URL: 'http://127.0.0.1:3/{portal}/api/v1',
    ITERABLE_API_BASE_URL: 'http://127.0.0.1:4',
    DATABASE_URL: 'sqlite:/tmp/users.sqlite',
  });
});

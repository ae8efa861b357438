import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { synthesize } from './synth';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
const resourcesOf = (template: Template) =>
  Object.entries(templateSchema.parse(template.toJSON()).Resources).map(([id, resource]) => ({ id, ...resource }));
const typesOf = (template: Template) =>
  resourcesOf(template)
    .map(({ Type }) => Type)
    .sort();

const dev = synthesize('dev');
const emulated = synthesize('emulated');

test.each(['data', 'orderPipeline', 'syncJobs'] as const)('an emulated stage has all of %s', (stack) => {
  expect(typesOf(emulated[stack])).toEqual(typesOf(dev[stack]));
});

test('of observability it lacks saved queries, sampling rules, and the alarms on expressions', () => {
  const there = new Set(resourcesOf(emulated.observability).map(({ id }) => id));
  const lacked = resourcesOf(dev.observability).filter(
    ({ Type, Properties }) =>
      ['AWS::Logs::QueryDefinition', 'AWS::XRay::SamplingRule'].includes(Type) ||
      (Type === 'AWS::CloudWatch::Alarm' && Properties.Metrics !== undefined),
  );
  const leftOut = resourcesOf(dev.observability).filter(({ id }) => !there.has(id));
  expect(leftOut).toEqual(lacked);
  expect(new Set(leftOut.map(({ Type }) => Type)).size).toBe(3);
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

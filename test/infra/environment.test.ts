import * as z from 'zod';
import { configSchema as download } from '../../lambdas/download/config';
import { configSchema as finishRun } from '../../lambdas/finish-run/config';
import { configSchema as issueWatch } from '../../lambdas/issue-watch/config';
import { configSchema as iterableExtract } from '../../lambdas/iterable-extract/config';
import { configSchema as iterablePush } from '../../lambdas/iterable-push/config';
import { configSchema as iterableReport } from '../../lambdas/iterable-report/config';
import { configSchema as netlifeCollect } from '../../lambdas/netlife-collect/config';
import { configSchema as netlifeMerge } from '../../lambdas/netlife-merge/config';
import { configSchema as planRun } from '../../lambdas/plan-run/config';
import { configSchema as processing } from '../../lambdas/processing/config';
import { configSchema as reconciler } from '../../lambdas/reconciler/config';
import { configSchema as webhook } from '../../lambdas/webhook/config';
import { commonVariables } from '../../shared/config';
import { resources, synthesize } from './synth';

const { orderPipeline, syncJobs, observability } = synthesize('dev');

/** A value after deployment. References in the template become a URL, which is valid for every variable. */
const deployed = (value: unknown): string => (typeof value === 'string' ? value : 'https://resolved.at/deployment');

const environmentOf = (name: string): Record<string, string> => {
  const schema = z.object({
    FunctionName: z.string(),
    Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  });
  const found = [orderPipeline, syncJobs, observability]
    .flatMap((template) => resources(template, 'AWS::Lambda::Function'))
    .map(({ Properties }) => schema.parse(Properties))
    .find(({ FunctionName }) => FunctionName === `dev-marketplace-${name}`);
  const entries = Object.entries(found?.Environment.Variables ?? {});
  return Object.fromEntries(entries.map(([variable, value]) => [variable, deployed(value)]));
};

/** Variables that libraries read. */
const readElsewhere = [
  ...['POWERTOOLS_SERVICE_NAME', 'POWERTOOLS_METRICS_NAMESPACE', 'POWERTOOLS_LOG_LEVEL'],
  'MALLOC_ARENA_MAX',
];

const schemas = {
  webhook,
  download,
  processing,
  reconciler,
  'issue-watch': issueWatch,
  'plan-run': planRun,
  'netlife-collect': netlifeCollect,
  'netlife-merge': netlifeMerge,
  'iterable-extract': iterableExtract,
  'iterable-push': iterablePush,
  'iterable-report': iterableReport,
  'finish-run': finishRun,
};

describe.each(Object.entries(schemas))('%s', (name, schema) => {
  test('has every variable that it needs', () => {
    expect(schema.safeParse(environmentOf(name)).error?.issues ?? []).toEqual([]);
  });

  test('has no unused variable', () => {
    const read = [...Object.keys(schema.shape), ...Object.keys(commonVariables), ...readElsewhere];
    expect(Object.keys(environmentOf(name)).filter((variable) => !read.includes(variable))).toEqual([]);
  });
});

test('without call budgets, no function has a variable for one', () => {
  const names = ['QUALIA_CALLS_PER_SECOND', 'INTERNAL_API_CALLS_PER_SECOND'];
  for (const name of Object.keys(schemas)) {
    expect(Object.keys(environmentOf(name)).filter((variable) => names.includes(variable))).toEqual([]);
  }
});

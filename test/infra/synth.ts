import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { context } from '../../cdk.json';
import { type Config, loadConfig, parseConfig, type Stage } from '../../lib/config';
import { addPipeline } from '../../lib/pipeline';

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      violations: z.array(z.object({ ruleName: z.string(), description: z.string() })),
      suppressedViolations: z.array(z.object({ ruleName: z.string(), reason: z.string() })).default([]),
    }),
  ),
});

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()),
  DeletionPolicy: z.string().optional(),
});

/** Every resource of a type. */
export const resources = (template: Template, type: string): z.infer<typeof resourceSchema>[] =>
  Object.values(template.findResources(type)).map((resource) => resourceSchema.parse(resource));

/** Tells an emulated stage where its simulators are. */
export const environment = {
  QUALIA_API_URL: 'http://127.0.0.1:1/api/vendor/graphql',
  INTERNAL_API_URL: 'http://127.0.0.1:2/orders',
  NETLIFE_BASE_URL: 'http://127.0.0.1:3/{portal}/api/v1',
  ITERABLE_API_BASE_URL: 'http://127.0.0.1:4',
  DATABASE_URL: 'sqlite:/tmp/users.sqlite',
};

/** The app of one stage as it would be deployed, but without the bundles, which take most of the time. */
export function synthesize(stage: Stage, settings: Partial<Config> = {}) {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
  const release = { version: '1.2.3', commitSha: '0123456789abcdef0123456789abcdef01234567' };
  const stacks = addPipeline(app, parseConfig({ ...loadConfig(stage, release, environment), ...settings }));
  const { directory } = app.synth();
  const report = reportSchema.parse(JSON.parse(readFileSync(join(directory, 'validation-report.json'), 'utf8')));
  const synthesized = {
    report: report.pluginReports,
    data: Template.fromStack(stacks.data),
    orderPipeline: Template.fromStack(stacks.orderPipeline),
    syncJobs: Template.fromStack(stacks.syncJobs),
    observability: Template.fromStack(stacks.observability),
  };
  rmSync(directory, { recursive: true });
  return synthesized;
}

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { context } from '../../cdk.json';
import { type Config, loadConfig, parseStageConfig, type Stage } from '../../lib/config';
import { addPipeline } from '../../lib/pipeline';
import { addEmulatedPipeline } from '../deployed/emulated-pipeline';

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

const release = { version: '1.2.3', commitSha: '0123456789abcdef0123456789abcdef01234567' };

/** Synthesizes an app without its bundles, which take most of the time. */
const synthesizeApp = (addStacks: (app: App) => ReturnType<typeof addPipeline>) => {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
  const stacks = addStacks(app);
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
};

/** The app of one stage as it is deployed, but without bundles. */
export const synthesize = (stage: Stage, settings: Partial<Config> = {}) =>
  synthesizeApp((app) => addPipeline(app, parseStageConfig({ ...loadConfig(stage, release), ...settings })));

/** The app that `npm run test:deployed` deploys, but without bundles. */
export const synthesizeEmulated = (environment: unknown) =>
  synthesizeApp((app) => addEmulatedPipeline(app, release, environment));

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { synthesizeOnce } from '../../local/start/synthesize';
import { variants } from './variants';

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

type StackName = 'data' | 'orderPipeline' | 'syncJobs' | 'observability';

/** Reads a cloud assembly: its report, and the templates in these files. */
export const readSynthesized = (directory: string, files: Readonly<Record<StackName, string>>) => {
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  return {
    report: reportSchema.parse(JSON.parse(read('validation-report.json'))).pluginReports,
    data: Template.fromString(read(files.data)),
    orderPipeline: Template.fromString(read(files.orderPipeline)),
    syncJobs: Template.fromString(read(files.syncJobs)),
    observability: Template.fromString(read(files.observability)),
  };
};

const root = join(__dirname, '../..');
const cache = join(root, 'node_modules/.cache');
const folder = join(cache, 'stages');

/**
 * The cloud assembly of a variant, without bundles. All test files share it: the first one has every variant synthesized
 * in another process, unless that was done for the same sources.
 */
export const assemblyOf = (variant: keyof typeof variants): string => {
  synthesizeOnce({
    root,
    sources: ['cdk.json', 'lambdas', 'lib', 'package-lock.json', 'package.json', 'shared', 'test/infra'],
    assemblyDirectory: folder,
    lockFile: join(cache, 'stages.lock'),
    run: () => {
      const script = join(__dirname, 'synthesize-stages.ts');
      execFileSync(process.execPath, ['--import', 'tsx', script, folder], { cwd: root, stdio: 'inherit' });
    },
  });
  return join(folder, variant);
};

/** The templates of a variant, without bundles. */
export const synthesize = (variant: keyof typeof variants) => {
  const { stage } = variants[variant];
  return readSynthesized(assemblyOf(variant), {
    data: `${stage}-Data.template.json`,
    orderPipeline: `${stage}-OrderPipeline.template.json`,
    syncJobs: `${stage}-SyncJobs.template.json`,
    observability: `${stage}-Observability.template.json`,
  });
};

import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

/** One resource of a template, with its synthesized properties. */
export interface Resource {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The name of the construct in the CDK app, such as `WebhookSecret`. */
  readonly constructId: string;
}

/** One stack of a cloud assembly. */
export interface Stack {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly outputs: Readonly<Record<string, { readonly value: unknown; readonly exportName: unknown }>>;
}

/** What `cdk synth` wrote. */
export interface Assembly {
  readonly directory: string;
  readonly stacks: ReadonlyMap<string, Stack>;
}

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z.object({ templateFile: z.string().optional(), stackName: z.string().optional() }).optional(),
    }),
  ),
});

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown() })).default({}),
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Metadata: z.object({ 'aws:cdk:path': z.string().optional() }).optional(),
    }),
  ),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() }))
    .default({}),
});

/**
 * Reads the manifest and the template of every stack in `directory` (`cdk.out`).
 * @throws {Error} if there is no assembly, or it cannot be read
 */
export const readAssembly = (directory: string): Assembly => {
  const manifest = readJson(path.join(directory, 'manifest.json'), manifestSchema);
  const stacks = Object.entries(manifest.artifacts)
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => {
      const template = readJson(
        path.join(directory, properties?.templateFile ?? `${id}.template.json`),
        templateSchema,
      );
      return toStack(properties?.stackName ?? id, template);
    });
  return { directory: path.resolve(directory), stacks: new Map(stacks.map((stack) => [stack.name, stack])) };
};

const toStack = (name: string, template: z.infer<typeof templateSchema>): Stack => ({
  name,
  parameters: mapValues(template.Parameters, (parameter) => parameter.Default),
  outputs: mapValues(template.Outputs, (output) => ({ value: output.Value, exportName: output.Export?.Name })),
  resources: new Map(
    Object.entries(template.Resources).map(([logicalId, resource]) => [
      logicalId,
      {
        stackName: name,
        logicalId,
        type: resource.Type,
        properties: resource.Properties,
        constructId: constructId(resource.Metadata?.['aws:cdk:path']) ?? logicalId,
      },
    ]),
  ),
});

/** The construct of a resource: `WebhookSecret` for `dev-Data/WebhookSecret/Resource`. */
const constructId = (cdkPath: string | undefined): string | undefined =>
  cdkPath
    ?.split('/')
    .filter((segment) => segment !== 'Resource')
    .at(-1);

const readJson = <T>(file: string, schema: z.ZodType<T>): T => {
  const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    throw new Error(`${file} does not have the format that cdk synth writes:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
};

const mapValues = <A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

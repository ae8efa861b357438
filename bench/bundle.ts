import { statSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readAssembly } from '../emulator/assembly';
import { synthesize } from '../local/start/synthesize';

/** A Lambda's bundle, written by `cdk synth`. */
export interface Bundle {
  readonly file: string;
  readonly sizeBytes: number;
  /** Its environment variables. A value that only AWS knows is replaced by an unused URL. */
  readonly environment: Readonly<Record<string, string>>;
}

const functionSchema = z.object({
  FunctionName: z.templateLiteral([z.string(), '-marketplace-', z.string()]),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string().catch('http://127.0.0.1:9/unresolved')) }),
});

/** Synthesizes the app if its sources changed. @returns the folder of the cloud assembly */
export const synthesized = (): string =>
  synthesize(() => process.stderr.write('Synthesizing: the sources changed …\n'));

/** The bundles of our Lambdas, by name without the stage: `webhook`, `download`, … */
export const readBundles = (assemblyDirectory: string): ReadonlyMap<string, Bundle> => {
  const { stacks } = readAssembly(assemblyDirectory);
  const bundles = new Map<string, Bundle>();
  for (const { type, properties } of [...stacks.values()].flatMap(({ resources }) => [...resources.values()])) {
    const parsed = functionSchema.safeParse(properties);
    if (type !== 'AWS::Lambda::Function' || !parsed.success) continue;
    const { FunctionName, Code, Environment } = parsed.data;
    const file = path.join(assemblyDirectory, `asset.${path.basename(Code.S3Key, '.zip')}`, 'index.js');
    bundles.set(FunctionName.replace(/^.*-marketplace-/, ''), {
      file,
      sizeBytes: statSync(file).size,
      environment: Environment.Variables,
    });
  }
  return bundles;
};

/** @throws {Error} if the assembly has no such Lambda */
export const bundleOf = (bundles: ReadonlyMap<string, Bundle>, name: string): Bundle => {
  const bundle = bundles.get(name);
  if (!bundle) throw new Error(`The app has no Lambda "${name}"; it has ${[...bundles.keys()].join(', ')}.`);
  return bundle;
};

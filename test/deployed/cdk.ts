import path from 'node:path';
import { execute, root } from './execute';

const cli = (args: readonly string[], signal: AbortSignal | undefined) =>
  execute(process.execPath, [path.join(root, 'node_modules/aws-cdk/bin/cdk'), ...args, '--ci', '--no-notices'], {
    signal,
  });

/**
 * Writes the cloud assembly of the emulated stage.
 *
 * @param variables addresses of the simulators and the commit: the environment that `app.ts` reads
 */
export const synthesize = (directory: string, variables: Readonly<Record<string, string>>, signal?: AbortSignal) =>
  execute(process.execPath, ['--import', 'tsx', 'test/deployed/app.ts'], {
    environment: { ...variables, CDK_OUTDIR: directory },
    signal,
  });

/**
 * Bootstraps the emulator's account.
 *
 * @param directory output folder of the CLI, without bundles; `cdk.out` belongs to the embedded AWS
 */
export const bootstrap = (directory: string, signal?: AbortSignal) =>
  cli(['bootstrap', 'aws://000000000000/us-east-1', '--output', directory], signal);

/** Deploys all stacks of an assembly, or the changes since the last deployment. */
export const deploy = (assembly: string, signal?: AbortSignal) =>
  cli(['deploy', '--app', assembly, '--all', '--require-approval', 'never', '--method', 'direct'], signal);

/** Deletes all stacks of an assembly. */
export const destroy = (assembly: string) => cli(['destroy', '--app', assembly, '--all', '--force'], undefined);

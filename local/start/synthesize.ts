import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '../..');
const sources = ['bin/pipeline.ts', 'cdk.json', 'lambdas', 'lib', 'package-lock.json', 'package.json', 'shared'];

const filesBelow = (name: string): string[] =>
  statSync(path.join(root, name)).isDirectory()
    ? readdirSync(path.join(root, name))
        .sort()
        .flatMap((entry) => filesBelow(path.join(name, entry)))
    : [name];

const fingerprint = (): string => {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesBelow)) hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
};

/**
 * Runs `cdk synth` unless its last output is of the same sources.
 *
 * @returns the folder of the cloud assembly
 * @throws {Error} with the CLI's output when the app does not synthesize
 */
export const synthesize = (onStart: () => void): string => {
  const assemblyDirectory = path.join(root, 'cdk.out');
  const markFile = path.join(assemblyDirectory, 'sources.sha256');
  const current = fingerprint();
  if (existsSync(markFile) && readFileSync(markFile, 'utf8') === current) return assemblyDirectory;
  onStart();
  const cdk = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'cdk.cmd' : 'cdk');
  const { status, stdout, stderr, error } = spawnSync(cdk, ['synth', '--quiet'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`cdk synth failed:\n${error?.message ?? `${stdout}${stderr}`}`);
  writeFileSync(markFile, current);
  return assemblyDirectory;
};

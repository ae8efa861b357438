import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '../..');
const sources = ['bin/app.ts', 'cdk.json', 'lambdas', 'lib', 'package-lock.json', 'package.json', 'shared'];

const filesBelow = (name: string): string[] =>
  statSync(path.join(root, name)).isDirectory()
    ? readdirSync(path.join(root, name))
        .sort()
        .flatMap((entry) => filesBelow(path.join(name, entry)))
    : [name];

const fingerprintOfSources = (): string => {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesBelow)) hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
};

/** Covers what is deployed. Another CDK command can have written another stage there, or one without bundles. */
const fingerprintOfAssembly = (directory: string): string => {
  const hash = createHash('sha256');
  const files = existsSync(directory) ? readdirSync(directory).sort() : [];
  for (const name of files.filter((file) => file === 'manifest.json' || file.endsWith('.template.json'))) {
    hash.update(`${name}\0`).update(readFileSync(path.join(directory, name)));
  }
  return hash.digest('hex');
};

/**
 * Runs `cdk synth`, unless its last output has the same sources.
 *
 * @returns the folder of the cloud assembly
 * @throws {Error} with the CLI's output when the app does not synthesize
 */
export const synthesize = (onStart: () => void): string => {
  const assemblyDirectory = path.join(root, 'cdk.out');
  const markFile = path.join(assemblyDirectory, 'fingerprint.sha256');
  const ofSources = fingerprintOfSources();
  const mark = () => `${ofSources}\n${fingerprintOfAssembly(assemblyDirectory)}\n`;
  if (existsSync(markFile) && readFileSync(markFile, 'utf8') === mark()) return assemblyDirectory;
  onStart();
  const cdk = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'cdk.cmd' : 'cdk');
  const { status, stdout, stderr, error } = spawnSync(cdk, ['synth', '--quiet'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`cdk synth failed:\n${error?.message ?? `${stdout}${stderr}`}`);
  writeFileSync(markFile, mark());
  return assemblyDirectory;
};

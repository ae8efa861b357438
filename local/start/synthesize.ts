import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lockFile } from './file-lock';

/** `cdk synth` takes about 10 s; several processes may wait for each other, on a busy machine. */
const waitMs = 5 * 60_000;

/** An app, and how it is synthesized. */
export interface SynthesisOptions {
  readonly root: string;
  /** Files and folders below the root that the assembly depends on. */
  readonly sources: readonly string[];
  readonly assemblyDirectory: string;
  /** Locked while the assembly is checked and written, because two `cdk synth` into one folder fail. */
  readonly lockFile: string;
  /** Writes the assembly. */
  readonly run: () => void;
}

const filesBelow = (root: string, name: string): string[] =>
  statSync(path.join(root, name)).isDirectory()
    ? readdirSync(path.join(root, name))
        .sort()
        .flatMap((entry) => filesBelow(root, path.join(name, entry)))
    : [name];

const fingerprintOfSources = ({ root, sources }: SynthesisOptions): string => {
  const hash = createHash('sha256');
  for (const file of sources.flatMap((name) => filesBelow(root, name))) {
    hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
};

/** Fingerprint of what is deployed. Detects that another CDK command wrote another stage, or one without bundles. */
const fingerprintOfAssembly = (directory: string): string => {
  const hash = createHash('sha256');
  const files = existsSync(directory) ? readdirSync(directory).sort() : [];
  for (const name of files.filter((file) => file === 'manifest.json' || file.endsWith('.template.json'))) {
    hash.update(`${name}\0`).update(readFileSync(path.join(directory, name)));
  }
  return hash.digest('hex');
};

/**
 * Writes the assembly, unless it exists for the same sources. Processes that call this at the same time wait
 * for each other; the first one writes it.
 *
 * @throws {Error} if another process does not finish in time, or what `run` throws
 */
export const synthesizeOnce = (options: SynthesisOptions): void => {
  mkdirSync(path.dirname(options.lockFile), { recursive: true });
  const release = lockFile(options.lockFile, waitMs);
  if (release === undefined) {
    throw new Error(`Another process has been synthesizing into ${options.assemblyDirectory} for 5 minutes.`);
  }
  try {
    const markFile = path.join(options.assemblyDirectory, 'fingerprint.sha256');
    const ofSources = fingerprintOfSources(options);
    const mark = () => `${ofSources}\n${fingerprintOfAssembly(options.assemblyDirectory)}\n`;
    if (existsSync(markFile) && readFileSync(markFile, 'utf8') === mark()) return;
    options.run();
    writeFileSync(markFile, mark());
  } finally {
    release();
  }
};

/**
 * Runs `cdk synth`, unless its last output has the same sources.
 *
 * @param stage default: the app's default stage, into `cdk.out`
 * @returns the folder of the cloud assembly
 * @throws {Error} with the CLI's output when the app does not synthesize
 */
export const synthesize = (onStart: () => void, stage?: string): string => {
  const root = path.join(__dirname, '../..');
  const assemblyDirectory = path.join(root, stage === undefined ? 'cdk.out' : `node_modules/.cache/cdk.out.${stage}`);
  const options = stage === undefined ? [] : ['--context', `stage=${stage}`, '--output', assemblyDirectory];
  synthesizeOnce({
    root,
    sources: ['bin/app.ts', 'cdk.json', 'lambdas', 'lib', 'package-lock.json', 'package.json', 'shared'],
    assemblyDirectory,
    lockFile: path.join(root, 'node_modules/.cache/synthesize.lock'),
    run: () => {
      onStart();
      const cdk = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'cdk.cmd' : 'cdk');
      const { status, stdout, stderr, error } = spawnSync(cdk, ['synth', '--quiet', ...options], {
        cwd: root,
        encoding: 'utf8',
        shell: process.platform === 'win32',
      });
      if (status !== 0) throw new Error(`cdk synth failed:\n${error?.message ?? `${stdout}${stderr}`}`);
    },
  });
  return assemblyDirectory;
};

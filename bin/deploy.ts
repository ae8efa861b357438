import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { Command, Option } from 'commander';
import { loadConfig, stages } from '../lib/config';
import { deployArguments } from '../lib/deployment';
import { version } from '../package.json';
import { readPausedParts } from './paused-parts';

const root = path.join(__dirname, '..');

/** Output of `git status --porcelain`; also empty in a copy without history. */
const changesInWorkTree = (): string => {
  try {
    return execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
};

const program = new Command('npm run deploy --')
  .description(
    'Deploys a stage with your own AWS credentials. Shows the changes of each stack, and asks before it makes them.',
  )
  .addOption(new Option('--stage <stage>', 'the stage to deploy').choices(stages).makeOptionMandatory())
  .option('--approved', 'do not ask: the changes were approved elsewhere, as in a deployment workflow', false)
  .parse();
const { stage, approved } = program.opts<{ stage: string; approved: boolean }>();

const deploy = async (): Promise<number> => {
  const release = { version, commitSha: 'unknown' };
  const options = { changes: changesInWorkTree(), approved };
  // Whatever prevents the deployment is reported before AWS is called.
  deployArguments(loadConfig(stage, release), options);
  const paused = await readPausedParts(stage, Date.now());
  if (paused.length > 0) console.error(`Paused, and left off: ${paused.join(', ')}.`);
  const args = deployArguments(loadConfig(stage, { ...release, paused }), options);
  const cdk = path.join(root, 'node_modules/aws-cdk/bin/cdk');
  return spawnSync(process.execPath, [cdk, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
};

deploy().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => program.error(error instanceof Error ? error.message : String(error)),
);

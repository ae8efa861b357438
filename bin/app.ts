import { execFileSync } from 'node:child_process';
import { App } from 'aws-cdk-lib';
import { context } from '../cdk.json';
import { loadConfig, pausableParts } from '../lib/config';
import { addPipeline } from '../lib/pipeline';
import { version } from '../package.json';

/** The commit to deploy: from the environment, else from git, else `unknown` (a copy without history). */
const commitSha = (): string => {
  if (process.env.COMMIT_SHA) return process.env.COMMIT_SHA;
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: __dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
};

// The CDK CLI passes this context itself. With it, `tsx bin/app.ts` writes the same assembly without the CLI.
const app = new App({ context });
const stage: unknown = app.node.tryGetContext('stage') ?? 'dev';
// `npm run deploy` names the parts that an operator has paused: CloudFormation would switch them on again.
const named = String(app.node.tryGetContext('paused') ?? '').split(',');
const paused = pausableParts.filter((part) => named.includes(part));
addPipeline(app, loadConfig(String(stage), { version, commitSha: commitSha(), paused }));

import type { Config } from './config';

const isPlaceholder = (url: string): boolean => new URL(url).hostname.endsWith('.example.com');

interface DeployOptions {
  /** Output of `git status --porcelain`: empty when everything is committed. */
  readonly changes: string;
  /** The changes were approved elsewhere: do not ask again. */
  readonly approved: boolean;
}

/**
 * Arguments of the `cdk` command that deploys a stage. Without `approved`, CDK shows the changes of each stack and asks.
 *
 * @throws Error with one sentence about what prevents the deployment
 */
export const deployArguments = (
  { stage, internalApiUrl, paused }: Config,
  { changes, approved }: DeployOptions,
): readonly string[] => {
  if (isPlaceholder(internalApiUrl)) {
    throw new Error(`The internalApiUrl of ${stage} in lib/config.ts is still the placeholder ${internalApiUrl}.`);
  }
  if (stage === 'prod' && changes !== '') {
    throw new Error('Prod is deployed from a commit, and the work tree has uncommitted changes: commit them first.');
  }
  const approval = approved ? 'never' : 'any-change';
  const context = [`stage=${stage}`, ...(paused.length > 0 ? [`paused=${paused.join(',')}`] : [])];
  const contextArguments = context.flatMap((entry) => ['--context', entry]);
  return ['deploy', '--all', '--strict', '--require-approval', approval, ...contextArguments];
};

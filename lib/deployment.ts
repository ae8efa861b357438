import type { Config } from './config';

const isPlaceholder = (url: string): boolean => new URL(url).hostname.endsWith('.example.com');

/**
 * How a stage is deployed: the arguments of the `cdk` command, which shows what changes in each stack, and asks.
 *
 * @param changes what `git status --porcelain` prints: nothing when all is committed
 * @throws Error saying in one sentence what is in the way
 */
export function deployArguments({ stage, internalApiUrl }: Config, changes: string): readonly string[] {
  if (isPlaceholder(internalApiUrl)) {
    throw new Error(`The internalApiUrl of ${stage} in lib/config.ts is still the placeholder ${internalApiUrl}.`);
  }
  if (stage === 'prod' && changes !== '') {
    throw new Error('What goes to prod must be committed, and the work tree has changes that are not.');
  }
  return ['deploy', '--all', '--strict', '--require-approval', 'any-change', '--context', `stage=${stage}`];
}

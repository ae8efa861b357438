import { resources, synthesize } from '../../infra/synth';
import type { RecursiveLoops } from './invocation-trace';
import type { StageName } from './pipeline';

/** As the template of the stack has it. */
export const readRecursiveLoops = (): RecursiveLoops => {
  const lambdas = resources(synthesize('prod').orderPipeline, 'AWS::Lambda::Function');
  const loopOf = (stage: StageName) => {
    const found = lambdas.find(({ Properties }) => Properties.FunctionName === `prod-marketplace-${stage}`);
    return found?.Properties.RecursiveLoop === 'Allow' ? 'Allow' : 'Terminate';
  };
  return { download: loopOf('download'), processing: loopOf('processing') };
};

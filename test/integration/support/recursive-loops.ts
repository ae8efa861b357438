import type { WorkerName } from '../../../shared/orders/order';
import { resources, synthesize } from '../../infra/synth';
import type { RecursiveLoops } from './invocation-trace';

/** Reads the settings from the template. */
export const readRecursiveLoops = (): RecursiveLoops => {
  const lambdas = resources(synthesize('prod').orderPipeline, 'AWS::Lambda::Function');
  const loopOf = (worker: WorkerName) => {
    const found = lambdas.find(({ Properties }) => Properties.FunctionName === `prod-marketplace-${worker}`);
    return found?.Properties.RecursiveLoop === 'Allow' ? 'Allow' : 'Terminate';
  };
  return { download: loopOf('download'), processing: loopOf('processing') };
};

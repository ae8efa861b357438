import { rmSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { context } from '../../cdk.json';
import { addEmulatedPipeline } from '../deployed/emulated-pipeline';
import { readSynthesized } from './synth';
import { release } from './variants';

/** The app that `npm run test:deployed` deploys, but without bundles, which take most of the time. */
export const synthesizeEmulated = (environment: unknown) => {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
  const { data, orderPipeline, syncJobs, observability } = addEmulatedPipeline(app, release, environment);
  const { directory } = app.synth();
  const synthesized = readSynthesized(directory, {
    data: data.templateFile,
    orderPipeline: orderPipeline.templateFile,
    syncJobs: syncJobs.templateFile,
    observability: observability.templateFile,
  });
  rmSync(directory, { recursive: true });
  return synthesized;
};

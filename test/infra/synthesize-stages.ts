import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { context } from '../../cdk.json';
import { loadConfig, parseStageConfig } from '../../lib/config';
import { addPipeline } from '../../lib/pipeline';
import { release, variants } from './variants';

/** Synthesizes every variant, without bundles, which take most of the time: `<folder>/<variant>/`. */
const main = (folder: string) => {
  for (const [name, { stage, ...settings }] of Object.entries(variants)) {
    const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] }, outdir: join(folder, name) });
    addPipeline(app, parseStageConfig({ ...loadConfig(stage, release), ...settings }));
    app.synth();
  }
};

main(process.argv[2] ?? '');

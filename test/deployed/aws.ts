import { Command, Option } from 'commander';
import { announceTarget, outputsSchema } from '../e2e/support/target';
import { runJest } from './jest';
import { findSimulators } from './simulators';
import { checkWebhookSecret, readOutputs } from './stage';

const main = async (): Promise<number> => {
  const command = new Command('npm run test:aws --')
    .description('Runs the end-to-end suite against a stage of your account, whose vendors are simulators.')
    .addOption(new Option('--stage <stage>', 'the stage to test').choices(['dev', 'staging']).makeOptionMandatory())
    .argument('[jest-options...]', 'options of jest, after another --')
    .parse();
  const { stage } = command.opts<{ stage: string }>();
  const outputs = await readOutputs(stage);
  await checkWebhookSecret(outputs);
  announceTarget({
    apiUrl: outputs.ApiUrl ?? '',
    endpoints: {},
    outputs: outputsSchema.parse(outputs),
    simulators: await findSimulators(stage),
  });
  return runJest('aws', command.args);
};

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);

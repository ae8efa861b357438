import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { simulatorsSchema } from '../e2e/support/target';

/** For each vendor, a Lambda that calls it, and the environment variable with the URL. */
const callers = {
  qualia: { name: 'download', variable: 'QUALIA_API_URL' },
  internalApi: { name: 'processing', variable: 'INTERNAL_API_URL' },
  netlife: { name: 'netlife-collect', variable: 'NETLIFE_BASE_URL' },
  iterable: { name: 'iterable-push', variable: 'ITERABLE_API_BASE_URL' },
} as const;

/**
 * Finds the control APIs of the simulators in the environment of a stage's Lambdas. The tests send invented orders and
 * users, so a stage that calls real vendors is rejected.
 *
 * @throws {Error} naming a URL that is not a simulator's
 */
export const findSimulators = async (stage: string) => {
  const lambda = new LambdaClient();
  const found = await Promise.all(
    Object.entries(callers).map(async ([simulator, { name, variable }]) => {
      const FunctionName = `${stage}-marketplace-${name}`;
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      const { origin } = new URL(Environment?.Variables?.[variable] ?? '');
      const controlUrl = `${origin}/_control`;
      if (await isSimulator(controlUrl)) return [simulator, controlUrl];
      throw new Error(
        `The tests need a stage whose vendors are simulators; in ${stage}, ${variable} points to ${origin}, which is not one.`,
      );
    }),
  );
  lambda.destroy();
  return simulatorsSchema.parse(Object.fromEntries(found));
};

const isSimulator = (controlUrl: string): Promise<boolean> =>
  fetch(`${controlUrl}/faults`)
    .then(async (response) => response.ok && Array.isArray(await response.json()))
    .catch(() => false);

import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { simulatorsSchema } from '../e2e/support/target';

/** Which Lambda calls whom, and the variable that says where. */
const callers = {
  qualia: { name: 'download', variable: 'QUALIA_API_URL' },
  internalApi: { name: 'processing', variable: 'INTERNAL_API_URL' },
  netlife: { name: 'netlife-collect', variable: 'NETLIFE_BASE_URL' },
  iterable: { name: 'iterable-push', variable: 'ITERABLE_API_BASE_URL' },
} as const;

/**
 * The control APIs of the simulators that a stage calls, found by what its Lambdas are told. The tests send made-up
 * orders and users: a stage that calls anybody else is refused.
 *
 * @throws {Error} naming who is called and is no simulator
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
        `The tests need a stage whose vendors are simulators; in ${stage}, ${variable} leads to ${origin}, which is none.`,
      );
    }),
  );
  lambda.destroy();
  return simulatorsSchema.parse(Object.fromEntries(found));
};

const isSimulator = (controlUrl: string): Promise<boolean> =>
  fetch(`${controlUrl}/faults`)
    .then(async (answer) => answer.ok && Array.isArray(await answer.json()))
    .catch(() => false);

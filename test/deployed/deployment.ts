import * as z from 'zod';

const variable = 'DEPLOYMENT';

/** The deployed assembly, and the folder for the next one. */
const deploymentSchema = z.object({ assembly: z.string(), nextAssembly: z.string() });

/** Publishes the deployment to the tests of this suite. */
export const announceDeployment = (deployment: z.output<typeof deploymentSchema>): void => {
  process.env[variable] = JSON.stringify(deployment);
};

/** The deployment that {@link announceDeployment} published. */
export const deployment = () => deploymentSchema.parse(JSON.parse(process.env[variable] ?? 'null'));

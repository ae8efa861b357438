import * as z from 'zod';

const variable = 'DEPLOYMENT';

/** What is deployed: the assembly, and a place for the next one. */
const deploymentSchema = z.object({ assembly: z.string(), nextAssembly: z.string() });

/** Tells the tests of this suite what is deployed. */
export const announceDeployment = (deployment: z.output<typeof deploymentSchema>): void => {
  process.env[variable] = JSON.stringify(deployment);
};

/** What is deployed, as {@link announceDeployment} said. */
export const deployment = () => deploymentSchema.parse(JSON.parse(process.env[variable] ?? 'null'));

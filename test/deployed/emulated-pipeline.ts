import { type App, Aspects } from 'aws-cdk-lib';
import { PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import * as z from 'zod';
import { loadConfig, type Release } from '../../lib/config';
import { addPipeline } from '../../lib/pipeline';
import { miniStackGaps } from './ministack-gaps';

/** The stage that is deployed to the emulator. */
export const stage = 'dev';

const simulatorUrl = z.url({
  protocol: /^http$/,
  hostname: /^127\.0\.0\.1$/,
  error: 'must be an http URL of 127.0.0.1',
});

/** Variables with the names that `npm start` uses: the simulators, and the sample users. */
const environmentSchema = z.object({
  QUALIA_API_URL: simulatorUrl,
  INTERNAL_API_URL: simulatorUrl,
  NETLIFE_BASE_URL: simulatorUrl,
  ITERABLE_API_BASE_URL: simulatorUrl,
  DATABASE_URL: z.string('is missing').startsWith('sqlite:'),
});

/**
 * Adds the stacks of the stage to `app`, with simulators instead of vendors, and without the resources that MiniStack lacks.
 *
 * @throws if a URL in the environment is not one of this machine
 */
export const addEmulatedPipeline = (app: App, release: Release, environment: unknown) => {
  const variables = environmentSchema.parse(environment);
  const stacks = addPipeline(app, {
    ...loadConfig(stage, release),
    qualiaApiUrl: variables.QUALIA_API_URL,
    internalApiUrl: variables.INTERNAL_API_URL,
    netlifeBaseUrl: variables.NETLIFE_BASE_URL,
    iterableApiBaseUrl: variables.ITERABLE_API_BASE_URL,
  });
  // Overrides the database in the secret by a SQLite file.
  stacks.syncJobs.functions['iterable-extract'].addEnvironment('DATABASE_URL', variables.DATABASE_URL);
  // In a real account, an administrator creates the policy of the boundary.
  PermissionsBoundary.of(app).clear();
  Aspects.of(app).add(miniStackGaps);
  return stacks;
};

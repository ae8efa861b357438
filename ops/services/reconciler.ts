import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { createSecret } from '../../shared/aws/secret';
import { createQualiaClient, type QualiaClient, qualiaCredentialSchema } from '../../shared/qualia/client';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

const environmentSchema = z.object({
  QUALIA_API_URL: z.url(),
  QUALIA_SECRET_ARN: z.string().min(1),
  ARTIFACTS_BUCKET_NAME: z.string().min(1),
  QUALIA_CALLS_PER_SECOND: z.coerce.number().int().positive().optional(),
});

/** Used if the stage configures no budget. */
const defaultCallsPerSecond = 5;

/** What the deployed reconciler uses. */
export interface DeployedReconciler {
  /** Calls Qualia with the stage's credentials, no faster than the reconciler. */
  readonly qualia: QualiaClient;
  /** The bucket in which the reconciler stores its passes. */
  readonly passBucketName: string;
}

/**
 * Reads the configuration of the stage's reconciler, so that operators call the same Qualia as the Lambdas.
 *
 * @throws {ServiceFault} `unreachable` if the stage has no reconciler, or one of another version
 */
export const openReconciler = async (stage: StageConnection, now: () => number): Promise<DeployedReconciler> => {
  const tooOld = () =>
    new ServiceFault('unreachable', 'The stage does not have the reconciler of this version: deploy the stage first.');
  if (stage.reconcilerFunctionName === undefined) throw tooOld();
  const { Environment } = await stage.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: stage.reconcilerFunctionName }),
  );
  const environment = environmentSchema.safeParse(Environment?.Variables);
  if (!environment.success) throw tooOld();
  const { QUALIA_API_URL, QUALIA_SECRET_ARN, ARTIFACTS_BUCKET_NAME, QUALIA_CALLS_PER_SECOND } = environment.data;
  return {
    qualia: createQualiaClient({
      url: QUALIA_API_URL,
      credential: createSecret({
        client: stage.secretsManager,
        secretId: QUALIA_SECRET_ARN,
        schema: qualiaCredentialSchema,
        now,
      }),
      now,
      callsPerSecond: QUALIA_CALLS_PER_SECOND ?? defaultCallsPerSecond,
      onCircuitOpen: () => undefined,
    }),
    passBucketName: ARTIFACTS_BUCKET_NAME,
  };
};

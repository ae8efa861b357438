import * as z from 'zod';

/**
 * Features of AWS that an emulator can lack (docs/adr/0006):
 *
 * - `branch-history`: an execution's history contains the states inside of `Parallel` and `Map`.
 * - `error-names`: a failed state has the name of the error that its Lambda threw.
 * - `log-queries`: logs can be searched, and queries can be saved.
 * - `redrive`: a failed execution can be redriven.
 */
const featureSchema = z.enum(['branch-history', 'error-names', 'log-queries', 'redrive']);
type Feature = z.output<typeof featureSchema>;

/** The target of the suite: the deployed pipeline, by its stack outputs, and the simulators that it calls. */
const targetSchema = z.object({
  apiUrl: z.string(),
  /** Endpoints of the AWS APIs, by service. A service without one is in a real account. */
  endpoints: z.record(z.string(), z.string()),
  outputs: z.object({
    OrdersTableName: z.string(),
    OperationsTableName: z.string(),
    RawBucketName: z.string(),
    WebhookSecretArn: z.string(),
    DownloadQueueUrl: z.string(),
    DownloadDeadLetterQueueUrl: z.string(),
    ProcessingQueueUrl: z.string(),
    ProcessingDeadLetterQueueUrl: z.string(),
    ReconcilerFunctionName: z.string(),
    StateMachineArn: z.string(),
    ArtifactsBucketName: z.string(),
    SyncRunsTableName: z.string(),
  }),
  /** Control APIs of the simulators. */
  simulators: z.object({ qualia: z.string(), internalApi: z.string(), netlife: z.string(), iterable: z.string() }),
  /** Features that the target lacks. */
  lacks: z.array(featureSchema).default([]),
});
export type Target = z.input<typeof targetSchema>;

const variable = 'E2E_TARGET';

/** Publishes the target to the test files. */
export const announceTarget = (target: Target): void => {
  process.env[variable] = JSON.stringify(targetSchema.parse(target));
};

/** The target that {@link announceTarget} published. */
export const target = () => targetSchema.parse(JSON.parse(process.env[variable] ?? 'null'));

/** Returns `test`, or `test.skip` if the target lacks `feature`. */
export const testIfSupported = (feature: Feature) => (target().lacks.includes(feature) ? test.skip : test);

export const outputsSchema = targetSchema.shape.outputs;
export const simulatorsSchema = targetSchema.shape.simulators;

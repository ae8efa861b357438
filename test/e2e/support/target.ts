import * as z from 'zod';

/** Where the suite runs: the deployed pipeline, named by its stack outputs, and the simulators that it talks to. */
const targetSchema = z.object({
  apiUrl: z.string(),
  /** Of the AWS APIs, by service; a service without one is in a real account. */
  endpoints: z.record(z.string(), z.string()),
  outputs: z.object({
    OrdersTableName: z.string(),
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
});
export type Target = z.output<typeof targetSchema>;

const variable = 'E2E_TARGET';

/** Tells the test files where to run. */
export const announceTarget = (target: Target): void => {
  process.env[variable] = JSON.stringify(targetSchema.parse(target));
};

/** Where to run, as {@link announceTarget} said. */
export const target: () => Target = () => targetSchema.parse(JSON.parse(process.env[variable] ?? 'null'));

export const outputsSchema = targetSchema.shape.outputs;
export const simulatorsSchema = targetSchema.shape.simulators;

import * as z from 'zod';

/**
 * What AWS does and an emulator may lack (docs/adr/0006): an execution's history tells of the states inside of `Parallel`
 * and `Map`; a state that failed carries the name of the error that its Lambda threw; logs are queried, and queries saved;
 * a failed execution can be redriven.
 */
const gapSchema = z.enum(['branch-history', 'error-names', 'log-queries', 'redrive']);
type Gap = z.output<typeof gapSchema>;

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
  /** What cannot be tested there. */
  lacks: z.array(gapSchema).default([]),
});
export type Target = z.input<typeof targetSchema>;

const variable = 'E2E_TARGET';

/** Tells the test files where to run. */
export const announceTarget = (target: Target): void => {
  process.env[variable] = JSON.stringify(targetSchema.parse(target));
};

/** Where to run, as {@link announceTarget} said. */
export const target = () => targetSchema.parse(JSON.parse(process.env[variable] ?? 'null'));

/** What tests with: where the target lacks `gap`, the test is reported as skipped. */
export const testOf = (gap: Gap) => (target().lacks.includes(gap) ? test.skip : test);

export const outputsSchema = targetSchema.shape.outputs;
export const simulatorsSchema = targetSchema.shape.simulators;

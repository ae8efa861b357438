import * as z from 'zod';
import type { WorkerName } from '../../../shared/orders/order';
import type { NthCall } from './scenario';

/** The portals that runs collect. */
export const portals = { small: 'nowandgen', large: 'legacyphoto' } as const;

/** The secrets' values, by the construct ids of the CDK app. */
export const secrets = {
  WebhookSecret: { basic: [{ username: 'qualia', password: 'fault-webhook' }] },
  QualiaSecret: { username: 'pipeline', password: 'fault-qualia' },
  InternalApiSecret: { token: 'fault-internal' },
  // The time-out is short, because many rows wait for it, but long enough for a busy machine.
  NetlifeSecret: { username: 'pipeline', password: 'fault-netlife', timeout_s: 10, rate_limit_per_sec: 1_000 },
  IterableSecret: { api_key: 'fault-iterable', jwt_secret: 'fault-jwt' },
};

const worldSchema = z.object({
  apiUrl: z.string(),
  endpoints: z.object({ dynamodb: z.string(), s3: z.string(), sqs: z.string(), lambda: z.string(), sfn: z.string() }),
  /** Outputs of all stacks, by name. */
  outputs: z.object({
    OrdersTableName: z.string(),
    ArtifactsBucketName: z.string(),
    StateMachineArn: z.string(),
    ReconcilerFunctionName: z.string(),
    DownloadQueueUrl: z.string(),
    DownloadDeadLetterQueueUrl: z.string(),
    ProcessingQueueUrl: z.string(),
    ProcessingDeadLetterQueueUrl: z.string(),
  }),
  /** URL of the scenarios, see `run-world.ts`. */
  scenarios: z.string(),
  /** Control APIs of the simulators. */
  qualia: z.string(),
  internalApi: z.string(),
});

/** The addresses of the world: the embedded AWS with the pipeline, and the simulators. */
export type World = z.output<typeof worldSchema>;
export const readWorld = (message: unknown): World => worldSchema.parse(message);

const worldVariable = 'FAULTS_WORLD';
const baselineVariable = 'FAULTS_BASELINE';

/** Publishes the addresses of the world to this process and to the test files. */
export const announceWorld = (world: World): void => {
  process.env[worldVariable] = JSON.stringify(world);
};
export const world = (): World => worldSchema.parse(JSON.parse(process.env[worldVariable] ?? 'null'));

type Calls = readonly NthCall[];

/** The calls of each flow in a run without the row's fault, in sequence. The tests interrupt these calls. */
export interface Baseline {
  readonly order: Calls;
  /** The calls of the webhook that keep a refused body. */
  readonly refusal: Calls;
  /** Calls of the second delivery, after the first was killed before its send. */
  readonly resend: Readonly<Record<'webhook' | 'download', Calls>>;
  /** Calls after a retryable failure of each receive. */
  readonly retryableFailure: Readonly<Record<WorkerName, Calls>>;
  /** Calls after a permanent failure. */
  readonly permanentFailure: Readonly<Record<WorkerName, Calls>>;
  /** Calls of download that send a fresh copy at the last receive. Processing uses the same code. */
  readonly freshCopy: Calls;
  readonly reconciliation: Calls;
  /** By kind of run. */
  readonly runs: Readonly<Record<string, Calls>>;
}

/** Publishes the baseline to the test files. */
export const announceBaseline = (baseline: Baseline): void => {
  process.env[baselineVariable] = JSON.stringify(baseline);
};
export const readBaseline = (): Baseline => JSON.parse(process.env[baselineVariable] ?? 'null');

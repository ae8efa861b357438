import * as z from 'zod';
import type { WorkerName } from '../../../shared/orders/order';
import type { NthCall } from './cell';

/** The portals that runs collect. */
export const portals = { usual: 'nowandgen', large: 'legacyphoto' } as const;

/** Of the world, by the construct ids of the CDK app. */
export const secrets = {
  WebhookSecret: { basic: [{ username: 'qualia', password: 'fault-webhook' }] },
  QualiaSecret: { username: 'pipeline', password: 'fault-qualia' },
  InternalApiSecret: { token: 'fault-internal' },
  // Short enough for the matrix to wait for it, long enough for a machine that has much to do.
  NetlifeSecret: { username: 'pipeline', password: 'fault-netlife', timeout_s: 10, rate_limit_per_sec: 1_000 },
  IterableSecret: { api_key: 'fault-iterable', jwt_secret: 'fault-jwt' },
};

const worldSchema = z.object({
  apiUrl: z.string(),
  endpoints: z.object({ dynamodb: z.string(), s3: z.string(), sqs: z.string(), lambda: z.string(), sfn: z.string() }),
  /** Of all stacks, by name. */
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
  /** Serves the cells, see `run-world.ts`. */
  cells: z.string(),
  /** Control APIs of simulators. */
  qualia: z.string(),
  internalApi: z.string(),
});

/** Where the world is. */
export type World = z.output<typeof worldSchema>;
export const readWorld = (message: unknown): World => worldSchema.parse(message);

const worldVariable = 'FAULTS_WORLD';
const passesVariable = 'FAULTS_DRY_PASSES';

/** Publishes the addresses of the world to this process and to the test files. */
export const announceWorld = (world: World): void => {
  process.env[worldVariable] = JSON.stringify(world);
};
export const world = (): World => worldSchema.parse(JSON.parse(process.env[worldVariable] ?? 'null'));

type Calls = readonly NthCall[];

/** What each flow called when nothing was cut, in its order; of a troubled one, what it called for its trouble. */
export interface DryPasses {
  readonly order: Calls;
  /** The first delivery had died before it handed on. */
  readonly again: Readonly<Record<'webhook' | 'download', Calls>>;
  /** The step failed at each receive. */
  readonly failing: Readonly<Record<WorkerName, Calls>>;
  /** The step failed for good. */
  readonly refused: Readonly<Record<WorkerName, Calls>>;
  /** The last receive proved nothing against the message: of the download alone, as both workers are the same there. */
  readonly spared: Calls;
  readonly reconciliation: Calls;
  /** By the kind of run. */
  readonly runs: Readonly<Record<string, Calls>>;
}

/** Publishes to the test files the calls that can be cut. */
export const announceDryPasses = (passes: DryPasses): void => {
  process.env[passesVariable] = JSON.stringify(passes);
};
export const dryPasses = (): DryPasses => JSON.parse(process.env[passesVariable] ?? 'null');

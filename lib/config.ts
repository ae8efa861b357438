import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { budgetFaults } from './call-budget';

/** Names of all stages. */
export const stages = ['dev', 'staging', 'prod'] as const;

/** The parts of a stage that an operator can pause: the two order workers, and the nightly schedule of the syncs. */
export const pausableParts = ['download', 'processing', 'sync'] as const;
export type PausablePart = (typeof pausableParts)[number];

const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' });
const workerSchema = z
  .strictObject({
    /** Messages per invocation, which are handled concurrently: as many as a process has connections to its API. */
    batchSize: z.int().min(1).max(20),
    /** How long SQS may wait to fill a batch: fewer invocations, at the price of this latency. */
    batchingWindowSeconds: z.int().min(0).max(300),
    /** Concurrent invocations; the minimum that AWS accepts is 2. */
    maxConcurrency: z.int().min(2).max(1000),
  })
  .refine(({ batchSize, batchingWindowSeconds }) => batchSize <= 10 || batchingWindowSeconds >= 1, {
    path: ['batchSize'],
    error: 'must be at most 10 without a batching window: Lambda refuses more',
  });

/** The settings of a stage. */
const settingsSchema = z.strictObject({
  logRetentionDays: z.enum(RetentionDays),
  /**
   * `DEBUG` adds a line for each call to an API. Levels above `INFO` are not allowed: the saved queries read INFO lines,
   * and Lambda's filter would drop the metrics as well.
   */
  logLevel: z.enum(['DEBUG', 'INFO']),
  /** Keeps tables, buckets, secrets and logs when a stack is deleted, and protects the tables against deletion. */
  retainData: z.boolean(),
  /** Above these limits the HTTP API responds with 429. */
  apiThrottle: z.strictObject({ ratePerSecond: z.int().positive(), burst: z.int().positive() }),
  /**
   * Reserved concurrency of the webhook, which is also its maximum (docs/adr/0009). It counts against the account's quota,
   * of which 100 must remain unreserved. Default: none.
   */
  webhookReservedConcurrency: z.int().positive().optional(),
  download: workerSchema,
  processing: workerSchema,
  /** Whether webhooks arrive every day, so that 24 hours without one raise an alarm. */
  expectsWebhooksDaily: z.boolean(),
  reconciler: z.strictObject({
    /** Whether it runs hourly. It can always be invoked by hand. */
    scheduled: z.boolean(),
    /** Maximum number of rounds that it starts per second. It starts fewer while the download queue is long. */
    roundsPerSecond: z.int().min(1).max(1000),
    /** Time to wait for webhooks in transit before an order counts as missing or drifted. */
    settleSeconds: z.int().min(0).max(300),
  }),
  /** Maximum calls per second to an API, of all Lambdas together (docs/adr/0011). Default: no limit. */
  callsPerSecond: z
    .strictObject({ qualia: z.int().positive().optional(), internalApi: z.int().positive().optional() })
    .optional(),
  /** Names of Netlife portals in addition to the known ones. */
  netlifeExtraPortals: z.array(z.string().regex(/^[a-z0-9-]{1,63}$/, 'must be the name of a portal')),
  /** The VPC of the Iterable sync's database, if it is in one: private subnets that can reach AWS APIs. */
  databaseVpc: z
    .strictObject({
      vpcId: z.string().startsWith('vpc-'),
      availabilityZones: z.array(z.string().min(1)).min(1),
      privateSubnetIds: z.array(z.string().startsWith('subnet-')).min(1),
      securityGroupIds: z.array(z.string().startsWith('sg-')).min(1),
    })
    .optional(),
  /** Whether both syncs run every night. They can always be started by hand. */
  syncScheduled: z.boolean(),
  /** Whether the execution of a PARTIAL run fails. If not, only an alarm with the severity `ticket` reports it. */
  failPartialRuns: z.boolean(),
  /**
   * A run of Iterable in which at most this share of the users failed has succeeded, with a warning. In percent; a single
   * one of 20 and more users is always tolerated, except with 0.
   */
  toleratedFailedUsersPercent: z.number().min(0).max(5),
  /** Receive the alarms of each severity. AWS sends each address a request to confirm the subscription. */
  alarmEmails: z.strictObject({ page: z.email().optional(), ticket: z.email().optional() }).optional(),
  qualiaApiUrl: httpsUrl,
  internalApiUrl: httpsUrl,
  /** `https://api.iterable.com`, or Iterable's host in the EU. */
  iterableApiBaseUrl: httpsUrl,
  /** `{portal}` is replaced by the name of a portal. */
  netlifeBaseUrl: httpsUrl,
});

const releaseSchema = z.strictObject({
  /** Version of the package. */
  version: z.string().min(1),
  /** Commit that was built; `unknown` outside a git repository. */
  commitSha: z.string().regex(/^([0-9a-f]{7,40}|unknown)$/, 'must be a commit hash or "unknown"'),
  /** The parts that are paused at the moment (docs/adr/0022): the deployment leaves them off. */
  paused: z.array(z.enum(pausableParts)).default([]),
});

const configSchema = settingsSchema
  .extend({ ...releaseSchema.shape, stage: z.enum(stages) })
  .superRefine((config, context) => {
    for (const fault of budgetFaults(config)) context.addIssue({ code: 'custom', ...fault });
  })
  .refine(({ webhookReservedConcurrency: reserved, apiThrottle }) => !reserved || reserved >= apiThrottle.burst, {
    path: ['webhookReservedConcurrency'],
    error: 'must be at least apiThrottle.burst: Lambda would throttle requests that the API accepts',
  });

/** The input of the stacks of one stage: its settings, and the release to deploy. */
export type Config = Readonly<z.infer<typeof configSchema>>;
/** The release to deploy: package version and commit, and what stays paused. */
export type Release = z.input<typeof releaseSchema>;
/** Name of a stage. */
export type Stage = Config['stage'];
/** Batch size, batching window and concurrency of one worker. */
export type WorkerSettings = z.infer<typeof workerSchema>;

const sandboxUrl = 'https://sandbox-marketplace.qualia.io/api/vendor/graphql';
const productionUrl = 'https://marketplace.qualia.io/api/vendor/graphql';
const iterableApiBaseUrl = 'https://api.iterable.com';
const netlifeBaseUrl = 'https://{portal}.shop/api/v1';

/** The settings of each stage. To configure a deployment, edit these and nothing else. */
const settings: Readonly<Record<(typeof stages)[number], z.input<typeof settingsSchema>>> = {
  dev: {
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: 'INFO',
    retainData: false,
    qualiaApiUrl: sandboxUrl,
    internalApiUrl: 'https://internal-api.dev.example.com/orders',
    apiThrottle: { ratePerSecond: 5000, burst: 5000 },
    download: { batchSize: 10, batchingWindowSeconds: 0, maxConcurrency: 4 },
    processing: { batchSize: 10, batchingWindowSeconds: 0, maxConcurrency: 4 },
    expectsWebhooksDaily: false,
    reconciler: { scheduled: false, roundsPerSecond: 50, settleSeconds: 0 },
    iterableApiBaseUrl,
    netlifeBaseUrl,
    netlifeExtraPortals: [],
    syncScheduled: false,
    failPartialRuns: false,
    toleratedFailedUsersPercent: 1,
  },
  staging: {
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: 'INFO',
    retainData: false,
    qualiaApiUrl: sandboxUrl,
    internalApiUrl: 'https://internal-api.staging.example.com/orders',
    apiThrottle: { ratePerSecond: 100, burst: 200 },
    download: { batchSize: 20, batchingWindowSeconds: 1, maxConcurrency: 5 },
    processing: { batchSize: 20, batchingWindowSeconds: 1, maxConcurrency: 5 },
    expectsWebhooksDaily: false,
    reconciler: { scheduled: true, roundsPerSecond: 50, settleSeconds: 15 },
    iterableApiBaseUrl,
    netlifeBaseUrl,
    netlifeExtraPortals: [],
    syncScheduled: false,
    failPartialRuns: false,
    toleratedFailedUsersPercent: 1,
  },
  prod: {
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: 'INFO',
    retainData: true,
    qualiaApiUrl: productionUrl,
    internalApiUrl: 'https://internal-api.prod.example.com/orders',
    apiThrottle: { ratePerSecond: 200, burst: 500 },
    webhookReservedConcurrency: 500,
    download: { batchSize: 20, batchingWindowSeconds: 1, maxConcurrency: 10 },
    processing: { batchSize: 20, batchingWindowSeconds: 1, maxConcurrency: 10 },
    expectsWebhooksDaily: true,
    reconciler: { scheduled: true, roundsPerSecond: 100, settleSeconds: 60 },
    iterableApiBaseUrl,
    netlifeBaseUrl,
    netlifeExtraPortals: [],
    syncScheduled: true,
    failPartialRuns: false,
    toleratedFailedUsersPercent: 1,
  },
};

/**
 * Validates the configuration of a stage.
 *
 * @param candidate settings, release and stage in one object
 * @throws Error listing every fault, one per line
 */
export const parseStageConfig = (candidate: unknown): Config => {
  const result = configSchema.safeParse(candidate);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `  ${path.join('.') || '(config)'}: ${message}`);
  throw new Error(`The stage configuration is not valid:\n${faults.join('\n')}`);
};

/**
 * The configuration of a stage.
 *
 * @param stage `dev`, `staging` or `prod`
 * @param release the release to deploy
 * @throws Error when the stage does not exist, or listing every fault of its settings
 */
export const loadConfig = (stage: string, release: Release): Config => {
  const known = Object.entries(settings).find(([name]) => name === stage);
  if (!known) throw new Error(`There is no stage "${stage}": choose one of ${stages.join(', ')}.`);
  return parseStageConfig({ stage, ...known[1], ...release });
};

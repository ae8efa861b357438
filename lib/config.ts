import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { budgetFaults } from './call-budget';

/** Every stage in an account. */
export const stages = ['dev', 'staging', 'prod'] as const;

const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' });
const workerSchema = z.strictObject({
  /** Messages handed to one invocation; without a batching window SQS gives at most 10. */
  batchSize: z.int().min(1).max(10),
  /** How long SQS may wait to fill a batch: fewer invocations for up to this much latency. */
  batchingWindowSeconds: z.int().min(0).max(300),
  /** Invocations at once; AWS takes no less than 2. */
  maxConcurrency: z.int().min(2).max(1000),
});

/** The settings of a stage. */
const settingsSchema = z.strictObject({
  logRetentionDays: z.enum(RetentionDays),
  /**
   * `DEBUG` adds a line for each call to an API. Nothing above `INFO`: the saved queries read INFO lines, and Lambda's
   * filter would drop the metrics as well.
   */
  logLevel: z.enum(['DEBUG', 'INFO']),
  /** Keeps tables, buckets, secrets and logs when a stack is deleted, and refuses to delete the tables at all. */
  retainData: z.boolean(),
  /** The HTTP API answers 429 beyond these. */
  apiThrottle: z.strictObject({ ratePerSecond: z.int().positive(), burst: z.int().positive() }),
  /**
   * Invocations kept free for the webhook, and its most at once (docs/adr/0009). AWS takes them from the account's quota,
   * of which 100 must remain. Default: none are reserved.
   */
  webhookReservedConcurrency: z.int().positive().optional(),
  download: workerSchema,
  processing: workerSchema,
  /** Whether webhooks come every day, so that a day without one is an alarm. */
  expectsWebhooksDaily: z.boolean(),
  reconciler: z.strictObject({
    /** Whether it runs hourly. It can be invoked by hand in any case. */
    scheduled: z.boolean(),
    /** Most rounds that it starts in a second. It starts fewer while the download queue is not short. */
    roundsPerSecond: z.int().min(1).max(1000),
    /** Time for webhooks on their way to arrive, before an order counts as missing or drifted. */
    settleSeconds: z.int().min(0).max(300),
  }),
  /** Most calls per second to an API, of all Lambdas together (docs/adr/0011). Default: no limit of ours. */
  callsPerSecond: z
    .strictObject({ qualia: z.int().positive().optional(), internalApi: z.int().positive().optional() })
    .optional(),
  /** Portals of Netlife beside the known ones, by name. */
  netlifeExtraPortals: z.array(z.string().regex(/^[a-z0-9-]{1,63}$/, 'must be the name of a portal')),
  /** Where the database of the Iterable sync can be reached, if it is in a VPC: private subnets with a way to AWS. */
  databaseVpc: z
    .strictObject({
      vpcId: z.string().startsWith('vpc-'),
      availabilityZones: z.array(z.string().min(1)).min(1),
      privateSubnetIds: z.array(z.string().startsWith('subnet-')).min(1),
      securityGroupIds: z.array(z.string().startsWith('sg-')).min(1),
    })
    .optional(),
  /** Whether both syncs run every night; they can be started by hand in any case. */
  syncScheduled: z.boolean(),
  /** Subscribed to the alarms' topic; AWS asks this address for its consent. */
  alarmEmail: z.email().optional(),
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
  /** Commit that was built, `unknown` outside git. */
  commitSha: z.string().regex(/^([0-9a-f]{7,40}|unknown)$/, 'must be a commit hash or "unknown"'),
});

const configSchema = settingsSchema
  .extend({ ...releaseSchema.shape, stage: z.enum(stages) })
  .superRefine((config, context) => {
    for (const fault of budgetFaults(config)) context.addIssue({ code: 'custom', ...fault });
  })
  .refine(({ webhookReservedConcurrency: reserved, apiThrottle }) => !reserved || reserved >= apiThrottle.burst, {
    path: ['webhookReservedConcurrency'],
    error: 'must be at least apiThrottle.burst: what the API lets in would be refused by Lambda',
  });

/** What the stacks of one stage are built from: its settings and the release that goes there. */
export type Config = Readonly<z.infer<typeof configSchema>>;
/** What is being deployed: package version and commit. */
export type Release = z.infer<typeof releaseSchema>;
/** Name of a stage. */
export type Stage = Config['stage'];
/** How many messages one worker takes, how long it waits for them, and how many of it run. */
export type WorkerSettings = z.infer<typeof workerSchema>;

const sandboxUrl = 'https://sandbox-marketplace.qualia.io/api/vendor/graphql';
const productionUrl = 'https://marketplace.qualia.io/api/vendor/graphql';
const iterableApiBaseUrl = 'https://api.iterable.com';
const netlifeBaseUrl = 'https://{portal}.shop/api/v1';

/** The settings of each stage: edit these, nothing else, to configure a deployment. */
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
  },
  staging: {
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: 'INFO',
    retainData: false,
    qualiaApiUrl: sandboxUrl,
    internalApiUrl: 'https://internal-api.staging.example.com/orders',
    apiThrottle: { ratePerSecond: 100, burst: 200 },
    download: { batchSize: 10, batchingWindowSeconds: 1, maxConcurrency: 5 },
    processing: { batchSize: 10, batchingWindowSeconds: 1, maxConcurrency: 5 },
    expectsWebhooksDaily: false,
    reconciler: { scheduled: true, roundsPerSecond: 50, settleSeconds: 15 },
    iterableApiBaseUrl,
    netlifeBaseUrl,
    netlifeExtraPortals: [],
    syncScheduled: false,
  },
  prod: {
    logRetentionDays: RetentionDays.ONE_MONTH,
    logLevel: 'INFO',
    retainData: true,
    qualiaApiUrl: productionUrl,
    internalApiUrl: 'https://internal-api.prod.example.com/orders',
    apiThrottle: { ratePerSecond: 200, burst: 500 },
    webhookReservedConcurrency: 500,
    download: { batchSize: 10, batchingWindowSeconds: 1, maxConcurrency: 10 },
    processing: { batchSize: 10, batchingWindowSeconds: 1, maxConcurrency: 10 },
    expectsWebhooksDaily: true,
    reconciler: { scheduled: true, roundsPerSecond: 100, settleSeconds: 60 },
    iterableApiBaseUrl,
    netlifeBaseUrl,
    netlifeExtraPortals: [],
    syncScheduled: true,
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
 * @param release what is being deployed
 * @throws Error when the stage does not exist, or listing every fault of its settings
 */
export const loadConfig = (stage: string, release: Release): Config => {
  const known = Object.entries(settings).find(([name]) => name === stage);
  if (!known) throw new Error(`There is no stage "${stage}": choose one of ${stages.join(', ')}.`);
  return parseStageConfig({ stage, ...known[1], ...release });
};

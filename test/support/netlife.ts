import { type NetlifeSimulator, startNetlifeSimulator } from '../../local/simulators/netlife';
import type { PageOptions } from '../../local/simulators/netlife-pages';
import type { Secret } from '../../shared/aws/secret';
import type { NetlifeJob } from '../../shared/netlife/activities';
import { NetlifeClient, type NetlifeClientOptions } from '../../shared/netlife/client';
import type { NetlifeLogin } from '../../shared/netlife/credential';
import type { CollectOptions, JobPart } from '../../shared/netlife/job';
import { collectJob } from '../../shared/netlife/job';
import { createPortals, type Portal } from '../../shared/netlife/portals';
import {
  type Activity,
  activitySchema,
  type JobDetails,
  jobDetailsSchema,
  type Subject,
  subjectSchema,
} from '../../shared/netlife/schemas';

export const portalName = 'nowandforeverphoto';

/** The portal, with its API at `baseUrl`. */
export const portalAt = (baseUrl = `https://${portalName}.shop/api/v1`): Portal => {
  const portal = createPortals({ NETLIFE_BASE_URL: baseUrl }).find(portalName);
  if (portal === undefined) throw new Error('The portal is unknown');
  return portal;
};

export const login: NetlifeLogin = { username: 'user', password: 'pä:ss', timeout_s: 30, rate_limit_per_sec: 8 };

/** A secret that never changes. */
export const loginSecret = (value = login): Secret<NetlifeLogin> => ({
  get: async () => value,
  refresh: async () => value,
});

/** A client without an effective rate limit. */
export const clientAt = (baseUrl: string, options: Partial<NetlifeClientOptions> = {}): NetlifeClient =>
  new NetlifeClient({
    portal: portalAt(baseUrl),
    login: loginSecret(),
    rateLimitPerSecond: 1_000_000,
    timeoutMs: 30_000,
    ...options,
  });

export const subject = (row: Readonly<Record<string, unknown>> = {}): Subject =>
  subjectSchema.parse({ uuid: 'subject-1', ...row });

export const activity = (row: Readonly<Record<string, unknown>> = {}): Activity =>
  activitySchema.parse({
    uuid: 'activity-1',
    name: 'Spring',
    starting: '2026-03-01T08:00:00Z',
    job: { uuid: 'job-1' },
    ...row,
  });

export const details = (response: Readonly<Record<string, unknown>> = {}): JobDetails =>
  jobDetailsSchema.parse({ name: 'Job 1', ...response });

export const collectOptions: CollectOptions = {
  audience: 'both',
  contactFilter: 'any',
  checkRegisteredUsers: true,
  registeredOnly: false,
  createAccessKeys: false,
  consent: 'SUBSCRIBE',
  startedAt: '2026-11-22T01:02:03.000Z',
};

/** Collects photo jobs one after the other, and returns their parts. */
export const collectAll = async (
  client: NetlifeClient,
  jobs: readonly NetlifeJob[],
  options: Partial<CollectOptions> = {},
): Promise<JobPart[]> => {
  const parts: JobPart[] = [];
  for (const job of jobs) {
    await collectJob(client, job, { ...collectOptions, ...options }, async (part) => parts.push(part));
  }
  return parts;
};

/** Starts the simulator with one small portal, generated from seed 7. */
export const startPortal = (
  options: {
    readonly jobs?: number;
    readonly subjects?: number;
    readonly pages?: PageOptions;
    readonly rateLimitPerSecond?: number;
    readonly latencyMs?: number;
  } = {},
): Promise<NetlifeSimulator> => {
  const { jobs = 2, subjects = 30, rateLimitPerSecond = 1_000_000, ...rest } = options;
  return startNetlifeSimulator({
    credentials: login,
    seed: 7,
    rateLimitPerSecond,
    portals: [{ name: portalName, jobs, activitiesPerJob: 3, subjectsPerJob: subjects }],
    ...rest,
  });
};

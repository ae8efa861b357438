/** Collects the contacts of a portal like the Lambda, but only counts the parts. */
import * as z from 'zod';
import { NetlifeClient } from '../../shared/netlife/client';
import { contactLines } from '../../shared/netlife/contacts';
import { collectJob } from '../../shared/netlife/job';
import { createPortals } from '../../shared/netlife/portals';
import { keepHeapSmall } from '../../shared/runs/heap';
import { runProgram } from './program';
import { startUsage } from './usage';

const optionsSchema = z.object({
  baseUrl: z.string(),
  portal: z.string(),
  credentials: z.object({ username: z.string(), password: z.string() }),
  rateLimitPerSecond: z.number(),
  /** Number of runs, one after the other, each of which knows the access keys of those before. The last one is measured. */
  runs: z.number().default(1),
});
export type NetlifeSenderOptions = z.input<typeof optionsSchema>;

const newKnownKeys = () => {
  const keys = new Map<string, string>();
  return {
    find: (subject: string) => keys.get(subject),
    add: (subject: string, key: string) => void keys.set(subject, key),
  };
};

runProgram(optionsSchema, async ({ baseUrl, portal: name, credentials, rateLimitPerSecond, runs }) => {
  keepHeapSmall();
  const portal = createPortals({ NETLIFE_BASE_URL: baseUrl }).find(name);
  if (portal === undefined) throw new Error(`There is no portal ${name}`);
  const login = { ...credentials, rate_limit_per_sec: rateLimitPerSecond, timeout_s: 30 };
  const knownKeys = newKnownKeys();
  const options = {
    audience: 'both',
    contactFilter: 'any',
    checkRegisteredUsers: true,
    registeredOnly: false,
    createAccessKeys: false,
    ...(runs > 1 && { knownKeys }),
    consent: 'SUBSCRIBE',
    startedAt: new Date().toISOString(),
  } as const;

  const run = async () => {
    const usage = startUsage();
    const client = new NetlifeClient({
      portal,
      login: { get: async () => login, refresh: async () => login },
      rateLimitPerSecond,
      timeoutMs: login.timeout_s * 1_000,
    });
    let contacts = 0;
    const jobs = await client.getJobs();
    await Promise.all(
      jobs.map((job) =>
        collectJob(client, job, options, async (part) => {
          if (contactLines(part.contacts) !== '') contacts += part.contacts.length;
        }),
      ),
    );
    const used = usage();
    await client.close();
    const { api_calls_total: calls, api_calls_failed: callsFailed } = client.getStatsSummary();
    return { ...used, jobs: jobs.length, contacts, calls, callsFailed };
  };
  for (let before = 1; before < runs; before++) await run();
  return run();
});

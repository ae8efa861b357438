/** Collects the contacts of a portal as the Lambda does, but parts are counted and dropped. */
import * as z from 'zod';
import { NetlifeClient } from '../../shared/netlife/client';
import { contactLines } from '../../shared/netlife/contacts';
import { collectJob } from '../../shared/netlife/job';
import { createPortals } from '../../shared/netlife/portals';
import { keepHeapSmall } from '../../shared/runs/heap';
import { send } from './program';
import { startUsage } from './usage';

const orderSchema = z.object({
  baseUrl: z.string(),
  portal: z.string(),
  credentials: z.object({ username: z.string(), password: z.string() }),
  rateLimitPerSecond: z.number(),
});
export type NetlifeOrder = z.output<typeof orderSchema>;

send(orderSchema, async ({ baseUrl, portal: name, credentials, rateLimitPerSecond }) => {
  keepHeapSmall();
  const portal = createPortals({ NETLIFE_BASE_URL: baseUrl }).find(name);
  if (portal === undefined) throw new Error(`There is no portal ${name}`);
  const login = { ...credentials, rate_limit_per_sec: rateLimitPerSecond, timeout_s: 30 };
  const usage = startUsage();
  const client = new NetlifeClient({
    portal,
    login: { get: async () => login, refresh: async () => login },
    rateLimitPerSecond,
    timeoutMs: login.timeout_s * 1_000,
  });
  const options = {
    audience: 'both',
    contactFilter: 'any',
    checkRegisteredUsers: true,
    registeredOnly: false,
    createAccessKeys: false,
    consent: 'SUBSCRIBE',
    startedAt: new Date().toISOString(),
  } as const;
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
  return { ...used, jobs: jobs.length, contacts, callsFailed: client.getStatsSummary().api_calls_failed };
});

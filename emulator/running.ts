import * as z from 'zod';

/** The content of `endpoints.json`, which is in the state directory while an application runs. */
export const runningSchema = z.object({
  pid: z.number(),
  apiUrl: z.string(),
  endpoints: z.object({
    s3: z.string(),
    sqs: z.string(),
    dynamodb: z.string(),
    secretsmanager: z.string(),
    lambda: z.string(),
    sfn: z.string(),
    logs: z.string(),
    sts: z.string(),
    cloudwatch: z.string(),
    sns: z.string(),
    events: z.string(),
    scheduler: z.string(),
    api: z.string(),
  }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

const port = z.int().min(0).max(65_535);
/** The content of `ports.json`: the ports of the previous run. */
export const portsSchema = z
  .object({
    tables: port,
    stores: port,
    secrets: port,
    lambda: port,
    stepFunctions: port,
    logs: port,
    control: port,
    cloudWatch: port,
    api: port,
  })
  .partial();

import { type DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { PipelineError } from '../errors';
import type { RunInput } from './input';

const counterSchema = z.object({
  done: z.number(),
  /** Absent while it is not known. */
  total: z.number().optional(),
  rate_per_second: z.number().optional(),
  updated_at: z.string(),
});

/** How far one part of a run is, such as `netlife/nowandforeverphoto` or `iterable/push`. */
export type Counter = Omit<z.output<typeof counterSchema>, 'updated_at'>;

const runSchema = z.object({
  run_id: z.string(),
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED']),
  input: z.record(z.string(), z.unknown()),
  /** The newest execution that works, or worked, on the run. */
  execution_arn: z.string(),
  started_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().optional(),
  counters: z.record(z.string(), counterSchema),
  /** The newest news, one sentence. */
  message: z.string().optional(),
  /** Keys in the artifacts bucket of what the run left. */
  reports: z.array(z.string()).optional(),
});

/** A run as the SyncRuns table holds it. */
export type Run = z.output<typeof runSchema>;

export interface RunStart {
  readonly input: RunInput;
  readonly executionArn: string;
  readonly startedAtMs: number;
}

export interface RunEnd {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly message: string;
  readonly reports: readonly string[];
  readonly finishedAtMs: number;
}

const keptSeconds = 90 * 24 * 3_600;

const iso = (ms: number): string => new Date(ms).toISOString();

const readItem = (item: unknown): Run => {
  const parsed = runSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new PipelineError('INTERNAL_FAULT', 'An item of the SyncRuns table cannot be read', { retryable: false });
};

/** The SyncRuns table: one item a run, for people to watch. No worker decides anything by it. */
export const createRunRepository = (client: DynamoDBDocumentClient, tableName: string) => {
  const update = (runId: string, expression: string, names: Record<string, string>, values: Record<string, unknown>) =>
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { run_id: runId },
        UpdateExpression: expression,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );

  return {
    /** The run as it stands, by a consistent read. */
    read: async (runId: string): Promise<Run | undefined> => {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: { run_id: runId }, ConsistentRead: true }),
      );
      return Item && readItem(Item);
    },

    /** Every run of the last 90 days, in no order: a run or a few a day, so that a scan is one or two calls. */
    async *list(): AsyncGenerator<Run> {
      for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) {
        for (const item of Items) yield readItem(item);
      }
    },

    /** Begins a run, or takes one up again: then its first start and its counters stay. */
    start: async ({ input, executionArn, startedAtMs }: RunStart): Promise<Run> => {
      const { Attributes } = await update(
        input.run_id,
        'SET #status = :running, #input = :input, execution_arn = :execution, updated_at = :now, expires_at = :expires, ' +
          'started_at = if_not_exists(started_at, :now), counters = if_not_exists(counters, :none) ' +
          'REMOVE finished_at, reports, message',
        { '#status': 'status', '#input': 'input' },
        {
          ':running': 'RUNNING',
          ':input': input,
          ':execution': executionArn,
          ':now': iso(startedAtMs),
          ':expires': Math.floor(startedAtMs / 1_000) + keptSeconds,
          ':none': {},
        },
      );
      return readItem(Attributes);
    },

    /** Says how far `part` is, and what is new. */
    recordProgress: async (
      runId: string,
      part: string,
      progress: { readonly counter: Counter; readonly message: string; readonly atMs: number },
    ): Promise<void> => {
      const at = iso(progress.atMs);
      await update(
        runId,
        'SET counters.#part = :counter, message = :message, updated_at = :now',
        { '#part': part },
        { ':counter': { ...progress.counter, updated_at: at }, ':message': progress.message, ':now': at },
      );
    },

    finish: async (runId: string, { status, message, reports, finishedAtMs }: RunEnd): Promise<void> => {
      await update(
        runId,
        'SET #status = :status, message = :message, reports = :reports, finished_at = :now, updated_at = :now',
        { '#status': 'status' },
        { ':status': status, ':message': message, ':reports': reports, ':now': iso(finishedAtMs) },
      );
    },
  };
};

export type RunRepository = ReturnType<typeof createRunRepository>;

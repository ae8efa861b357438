import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { PipelineError } from '../errors';

const counterSchema = z.object({
  done: z.number(),
  /** Absent while it is unknown. */
  total: z.number().optional(),
  rate_per_second: z.number().optional(),
  updated_at: z.string(),
});

/** Progress of a portal or of a step of a job, such as `netlife/nowandforeverphoto` or `iterable/push`. */
export type Counter = Omit<z.output<typeof counterSchema>, 'updated_at'>;

const runSchema = z.object({
  run_id: z.string(),
  status: z.enum(['RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']),
  input: z.record(z.string(), z.unknown()),
  /** The newest execution that has worked on the run. */
  execution_arn: z.string(),
  started_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().optional(),
  counters: z.record(z.string(), counterSchema),
  /** The newest message, one sentence. */
  message: z.string().optional(),
  /** Keys of the run's reports in the artifacts bucket. */
  reports: z.array(z.string()).optional(),
});

/** A run, as stored in the SyncRuns table. */
export type Run = z.output<typeof runSchema>;

export interface RunStart {
  /** The whole input is stored, for people to see. */
  readonly input: { readonly run_id: string };
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

/** The writer of a run's item. */
export interface RunOwner {
  readonly run_id: string;
  readonly execution_arn: string;
  /** The only invocation that may write a counter. Absent where there can be no other. */
  readonly turn?: string | undefined;
}

/**
 * The SyncRuns table: one item per run, for people to watch. It also records which execution works on the run and
 * whether the run was stopped. From then on a worker's writes are rejected, which is how the worker finds out.
 */
export const createRunRepository = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns the updated item; `undefined` if the condition failed */
  const update = async (
    runId: string,
    expression: string,
    values: Readonly<Record<string, unknown>>,
    { condition, names }: { readonly condition?: string; readonly names?: Readonly<Record<string, string>> } = {},
  ): Promise<Run | undefined> => {
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { run_id: runId },
          UpdateExpression: expression,
          ...(condition !== undefined && { ConditionExpression: condition }),
          ...(names !== undefined && { ExpressionAttributeNames: names }),
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
        }),
      );
      return readItem(Attributes);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  };
  const status = { '#status': 'status' };

  return {
    /** Reads a run consistently. */
    read: async (runId: string): Promise<Run | undefined> => {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: { run_id: runId }, ConsistentRead: true }),
      );
      return Item && readItem(Item);
    },

    /** All runs of the last 90 days, unordered. With a few runs per day, a scan takes one or two calls. */
    async *list(): AsyncGenerator<Run> {
      for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) {
        for (const item of Items) yield readItem(item);
      }
    },

    /** Starts or resumes a run. A resumed run keeps its first start and its counters. */
    start: async ({ input, executionArn, startedAtMs }: RunStart): Promise<Run> => {
      const started = await update(
        input.run_id,
        'SET #status = :running, #input = :input, execution_arn = :mine, updated_at = :now, expires_at = :expires, ' +
          'started_at = if_not_exists(started_at, :now), counters = if_not_exists(counters, :counters), ' +
          'turns = if_not_exists(turns, :turns) ' +
          'REMOVE finished_at, reports, message',
        {
          ':running': 'RUNNING',
          ':input': input,
          ':mine': executionArn,
          ':now': iso(startedAtMs),
          ':expires': Math.floor(startedAtMs / 1_000) + keptSeconds,
          ':counters': {},
          ':turns': {},
        },
        { names: { ...status, '#input': 'input' } },
      );
      if (started !== undefined) return started;
      throw new PipelineError('INTERNAL_FAULT', 'A write without a condition was refused', { retryable: false });
    },

    /**
     * Starts a worker's turn at a counter. A run that was stopped or had failed is running again. An earlier turn at
     * the same counter, such as a worker that has not noticed a stop and a redrive yet, is rejected at its next write.
     *
     * @returns the owner to pass to `recordProgress`
     * @throws {PipelineError} `RUN_TAKEN_OVER`, permanent, if another execution works on the run
     */
    enter: async (
      { run_id, execution_arn }: RunOwner,
      counterName: string,
      turn: string,
      atMs: number,
    ): Promise<RunOwner> => {
      const entered = await update(
        run_id,
        'SET #status = :running, updated_at = :now, turns.#counter = :turn REMOVE finished_at, reports',
        { ':running': 'RUNNING', ':now': iso(atMs), ':turn': turn, ':mine': execution_arn },
        { condition: 'execution_arn = :mine', names: { ...status, '#counter': counterName } },
      );
      if (entered !== undefined) return { run_id, execution_arn, turn };
      throw new PipelineError('RUN_TAKEN_OVER', 'Another execution works on this run', { retryable: false });
    },

    /**
     * Writes a counter and the newest message.
     *
     * @returns whether to continue: false if the run was stopped, or another turn or execution took it over
     */
    recordProgress: async (
      { run_id, execution_arn, turn }: RunOwner,
      counterName: string,
      progress: { readonly counter: Counter; readonly message: string; readonly atMs: number },
    ): Promise<boolean> => {
      const at = iso(progress.atMs);
      const recorded = await update(
        run_id,
        'SET counters.#counter = :counter, message = :message, updated_at = :now',
        {
          ':counter': { ...progress.counter, updated_at: at },
          ':message': progress.message,
          ':now': at,
          ':mine': execution_arn,
          ':running': 'RUNNING',
          ...(turn !== undefined && { ':turn': turn }),
        },
        {
          condition: `execution_arn = :mine AND #status = :running${turn === undefined ? '' : ' AND turns.#counter = :turn'}`,
          names: { ...status, '#counter': counterName },
        },
      );
      return recorded !== undefined;
    },

    /**
     * Checks that the execution may close the run.
     *
     * @returns false if another execution took the run over
     */
    claimFinish: async ({ run_id, execution_arn }: RunOwner, atMs: number): Promise<boolean> => {
      const values = { ':now': iso(atMs), ':mine': execution_arn };
      const owned = await update(run_id, 'SET updated_at = :now', values, { condition: 'execution_arn = :mine' });
      return owned !== undefined;
    },

    /** Closes a run, unless another execution took it over. */
    finish: async ({ run_id, execution_arn }: RunOwner, end: RunEnd): Promise<void> => {
      await update(
        run_id,
        'SET #status = :status, message = :message, reports = :reports, finished_at = :now, updated_at = :now',
        {
          ':status': end.status,
          ':message': end.message,
          ':reports': end.reports,
          ':now': iso(end.finishedAtMs),
          ':mine': execution_arn,
        },
        { condition: 'execution_arn = :mine', names: status },
      );
    },

    /**
     * Marks a run as stopped, after an operator stopped its execution: its worker notices only this, and ends its turn.
     */
    stop: async (runId: string, atMs: number): Promise<void> => {
      await update(
        runId,
        'SET #status = :stopped, message = :message, finished_at = :now, updated_at = :now',
        { ':stopped': 'STOPPED', ':message': 'Stopped by an operator', ':now': iso(atMs), ':running': 'RUNNING' },
        { condition: '#status = :running', names: status },
      );
    },
  };
};

export type RunRepository = ReturnType<typeof createRunRepository>;

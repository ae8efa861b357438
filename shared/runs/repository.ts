import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { PipelineError } from '../errors';

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
  status: z.enum(['RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']),
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

/** A run, and the execution that works on it. */
export interface RunOwner {
  readonly run_id: string;
  readonly execution_arn: string;
  /** The one invocation that may write of a part; absent where there can be no other. */
  readonly turn?: string | undefined;
}

/**
 * The SyncRuns table: one item a run, for people to watch. It also says which execution works on the run, and whether it
 * was stopped: what a worker writes is refused from then on, so that it hears of it.
 */
export const createRunRepository = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns the item as it is then; `undefined` when the condition did not hold */
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
     * A worker begins its turn at `part`. A run that was stopped, or had failed, runs again. Whoever was at the part
     * before, such as a worker that has not heard of a stop and a redrive yet, is refused at its next write.
     *
     * @returns the owner as `recordProgress` is to know it
     * @throws {PipelineError} `RUN_TAKEN_OVER`, permanent, when another execution works on the run
     */
    enter: async ({ run_id, execution_arn }: RunOwner, part: string, turn: string, atMs: number): Promise<RunOwner> => {
      const entered = await update(
        run_id,
        'SET #status = :running, updated_at = :now, turns.#part = :turn REMOVE finished_at, reports',
        { ':running': 'RUNNING', ':now': iso(atMs), ':turn': turn, ':mine': execution_arn },
        { condition: 'execution_arn = :mine', names: { ...status, '#part': part } },
      );
      if (entered !== undefined) return { run_id, execution_arn, turn };
      throw new PipelineError('RUN_TAKEN_OVER', 'Another execution works on this run', { retryable: false });
    },

    /**
     * Says how far `part` is, and what is new.
     *
     * @returns whether the run goes on: not, when it was stopped, or another turn or execution took it over
     */
    recordProgress: async (
      { run_id, execution_arn, turn }: RunOwner,
      part: string,
      progress: { readonly counter: Counter; readonly message: string; readonly atMs: number },
    ): Promise<boolean> => {
      const at = iso(progress.atMs);
      const recorded = await update(
        run_id,
        'SET counters.#part = :counter, message = :message, updated_at = :now',
        {
          ':counter': { ...progress.counter, updated_at: at },
          ':message': progress.message,
          ':now': at,
          ':mine': execution_arn,
          ':running': 'RUNNING',
          ...(turn !== undefined && { ':turn': turn }),
        },
        {
          condition: `execution_arn = :mine AND #status = :running${turn === undefined ? '' : ' AND turns.#part = :turn'}`,
          names: { ...status, '#part': part },
        },
      );
      return recorded !== undefined;
    },

    /**
     * The execution is about to close the run.
     *
     * @returns whether it may: not, when another took the run over
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

    /** For an operator who stopped the execution: its worker, which does not hear of that, ends its turn. */
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

import {
  CreateLogStreamCommand,
  PutLogEventsCommand,
  paginateFilterLogEvents,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { oneLine } from '../format';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

/** Maximum number of ids in a record, which also has their number. */
const maxIds = 20;

const actionSchema = z.object({
  /** When the action began. */
  at: z.iso.datetime(),
  /** ARN of the caller. */
  by: z.string(),
  /** The words of the command, such as `orders replay`. */
  verb: z.string(),
  /** What was changed: ids of orders and runs, names of queues. At most the first 20. */
  ids: z.array(z.string()),
  count: z.int(),
  reason: z.string(),
  /** `done`, `interrupted`, or `failed`, with the error. */
  outcome: z.string(),
});

/** A change that an operator made. */
export type Action = z.output<typeof actionSchema>;

/** What an action changes. `count`: number of things, if it is not that of the ids. */
export interface ActionSubject {
  readonly ids: readonly string[];
  readonly count?: number;
}

/** The record of an action that has begun. */
interface ActionRecord {
  /** ARN of the caller. */
  readonly by: string;
  /** Writes the action with its outcome. */
  readonly recordAction: (outcome: string) => Promise<void>;
}

type Connection = Pick<StageConnection, 'sts' | 'logs' | 'actionsLogGroupName' | 'changes'>;

/**
 * Begins an action: finds out who acts, and opens the log. It comes before the change, so that nothing is changed by an
 * operator whose action cannot be recorded.
 */
const beginAction = async (
  { sts, logs, actionsLogGroupName: logGroupName }: Connection,
  {
    verb,
    reason,
    subject: { ids, count = ids.length },
  }: {
    readonly verb: string;
    readonly reason: string;
    readonly subject: ActionSubject;
  },
  nowMs: number,
): Promise<ActionRecord> => {
  const { Arn: by = 'unknown' } = await sts.send(new GetCallerIdentityCommand({}));
  const at = new Date(nowMs).toISOString();
  const logStreamName = at.slice(0, 10);
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName })).catch((error: unknown) => {
    if (!(error instanceof ResourceAlreadyExistsException)) throw error;
  });

  return {
    by,
    recordAction: async (outcome) => {
      const action: Action = { at, by, verb, ids: ids.slice(0, maxIds), count, reason, outcome };
      const logEvents = [{ timestamp: nowMs, message: JSON.stringify(action) }];
      const notRecorded = (why: string, cause?: unknown): never => {
        throw new ServiceFault(
          'failed',
          `The action ended (${outcome}), but its record was not written: ${why}`,
          cause,
        );
      };
      const { rejectedLogEventsInfo } = await logs
        .send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }))
        .catch((error: unknown) => notRecorded(error instanceof Error ? error.message : String(error), error));
      if (rejectedLogEventsInfo !== undefined) notRecorded('CloudWatch Logs rejected its time.');
    },
  };
};

/** What a change ended with. */
export interface ChangeEnd<T> {
  /** As in an {@link Action}. */
  readonly outcome: string;
  readonly result: T;
}

/**
 * Does work that changes something, and records it, also when it fails.
 *
 * @param work calls `beginChange` before its first change, which returns the caller's ARN. Work that changes nothing does
 *   not call it, and is not recorded.
 */
export const recordChange = <T>(
  connection: Connection,
  { verb, reason }: Pick<Action, 'verb' | 'reason'>,
  now: () => number,
  work: (beginChange: (subject: ActionSubject) => Promise<string>) => Promise<ChangeEnd<T>>,
): Promise<T> =>
  connection.changes.record(async (allow) => {
    let record: ActionRecord | undefined;
    let recorded = 'failed';
    try {
      const { outcome, result } = await work(async (subject) => {
        record ??= await beginAction(connection, { verb, reason, subject }, now());
        allow();
        return record.by;
      });
      recorded = outcome;
      return result;
    } catch (error) {
      recorded = `failed: ${oneLine(error instanceof Error ? error.message : String(error))}`;
      throw error;
    } finally {
      await record?.recordAction(recorded);
    }
  });

/** Which actions to list. */
export interface ActionFilter {
  readonly since: Date;
  /** The beginning of the verb, such as `orders`. */
  readonly verb?: string | undefined;
  /** Part of the caller's ARN. */
  readonly by?: string | undefined;
}

/** Lists actions, oldest first. */
export const listActions = async (
  { logs, actionsLogGroupName: logGroupName }: Pick<StageConnection, 'logs' | 'actionsLogGroupName'>,
  { since, verb = '', by = '' }: ActionFilter,
): Promise<Action[]> => {
  const actions: Action[] = [];
  const request = { logGroupName, startTime: since.getTime() };
  for await (const { events = [] } of paginateFilterLogEvents({ client: logs }, request)) {
    for (const { message = '' } of events) {
      const action = actionSchema.safeParse(parseJson(message)).data;
      if (action && `${action.verb} `.startsWith(verb && `${verb} `) && action.by.includes(by)) actions.push(action);
    }
  }
  return actions.sort((a, b) => (a.at < b.at ? -1 : 1));
};

import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { operationKey } from '../../../shared/operations/key';
import { listOperations } from '../../../shared/operations/list';
import { ServiceFault } from '../fault';
import type { StageConnection } from '../stage-connection';
import { type PausablePart, pausableParts } from './parts';

const pauseSchema = z.object({
  id: z.enum(pausableParts),
  /** ARN of the operator. */
  by: z.string(),
  reason: z.string(),
  since: z.iso.datetime(),
  /** When it ends; absent until somebody ends it. */
  until: z.iso.datetime().optional(),
  /** What it switched off: UUIDs of event source mappings, names of rules. */
  switches: z.array(z.string()),
});

/** The record of a pause, an item of the Operations table. */
export interface Pause extends Omit<z.output<typeof pauseSchema>, 'id'> {
  readonly part: PausablePart;
}

/** How long the record of an ended pause is kept. */
const keptSeconds = 7 * 24 * 3_600;

const readPause = (item: unknown): Pause => {
  const parsed = pauseSchema.safeParse(item);
  if (!parsed.success) throw new ServiceFault('failed', 'The record of a pause cannot be read by this version.');
  const { id, ...pause } = parsed.data;
  return { part: id, ...pause };
};

/** Reads and writes the records of pauses: one per part, that of its newest pause. */
export const createPauseRecords = ({
  dynamodb,
  operationsTableName: TableName,
}: Pick<StageConnection, 'dynamodb' | 'operationsTableName'>) => {
  const client = DynamoDBDocumentClient.from(dynamodb);
  return {
    read: async (part: PausablePart): Promise<Pause | undefined> => {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: operationKey('PAUSE', part), ConsistentRead: true }),
      );
      return Item && readPause(Item);
    },

    list: async (nowMs: number): Promise<Pause[]> => {
      const pauses: Pause[] = [];
      for await (const item of listOperations(client, TableName, 'PAUSE', nowMs)) pauses.push(readPause(item));
      return pauses;
    },

    write: async ({ part, by, reason, since, until, switches }: Pause): Promise<void> => {
      const ends = until !== undefined;
      await client.send(
        new UpdateCommand({
          TableName,
          Key: operationKey('PAUSE', part),
          UpdateExpression:
            'SET #by = :by, reason = :reason, since = :since, switches = :switches' +
            (ends ? ', #until = :until, expires_at = :expires' : ' REMOVE #until, expires_at'),
          ExpressionAttributeNames: { '#by': 'by', '#until': 'until' },
          ExpressionAttributeValues: {
            ':by': by,
            ':reason': reason,
            ':since': since,
            ':switches': switches,
            ...(ends && { ':until': until, ':expires': Math.ceil(Date.parse(until) / 1_000) + keptSeconds }),
          },
        }),
      );
    },
  };
};

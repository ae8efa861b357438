import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Run, readRun } from './run';

type Item = Readonly<Record<string, unknown>>;

/** An update of a run's item. */
interface RunUpdate {
  readonly expression: string;
  readonly values: Item;
  readonly condition?: string;
  readonly names?: Readonly<Record<string, string>>;
}

/** Reads and writes the items of the SyncRuns table, without knowledge of a run's states and leases. */
export const createRunTable = (client: DynamoDBDocumentClient, tableName: string) => {
  /** @returns the item before or after the update; `undefined` if the condition failed */
  const send = async (
    runId: string,
    { expression, values, condition, names }: RunUpdate,
    returned: 'ALL_OLD' | 'ALL_NEW',
  ): Promise<Item | undefined> => {
    try {
      const { Attributes = {} } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { run_id: runId },
          UpdateExpression: expression,
          ...(condition !== undefined && { ConditionExpression: condition }),
          ...(names !== undefined && { ExpressionAttributeNames: names }),
          ExpressionAttributeValues: values,
          ReturnValues: returned,
        }),
      );
      return Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  };

  return {
    /** @returns the updated run; `undefined` if the condition failed */
    update: async (
      runId: string,
      expression: string,
      values: Item,
      conditions: Pick<RunUpdate, 'condition' | 'names'> = {},
    ): Promise<Run | undefined> => {
      const item = await send(runId, { expression, values, ...conditions }, 'ALL_NEW');
      return item && readRun(item);
    },

    /** Updates a run. @returns the item as it was before the update; `undefined` if the condition failed */
    updateFrom: (runId: string, update: RunUpdate): Promise<Item | undefined> => send(runId, update, 'ALL_OLD'),

    /** Reads a run consistently. */
    read: async (runId: string): Promise<Run | undefined> => {
      const { Item } = await client.send(
        new GetCommand({ TableName: tableName, Key: { run_id: runId }, ConsistentRead: true }),
      );
      return Item && readRun(Item);
    },

    /** All runs of the last 90 days, unordered. With a few runs per day, a scan takes one or two calls. */
    async *list(): AsyncGenerator<Run> {
      for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) {
        for (const item of Items) yield readRun(item);
      }
    },
  };
};

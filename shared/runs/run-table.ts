import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Run, readRun } from './run';

/** Reads and writes the items of the SyncRuns table, without knowledge of a run's states and leases. */
export const createRunTable = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** @returns the updated item; `undefined` if the condition failed */
  update: async (
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
      return readRun(Attributes);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  },

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
});

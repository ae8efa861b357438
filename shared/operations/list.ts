import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { OperationKind } from './key';

const expirySchema = z.object({ expires_at: z.optional(z.number()) });

/** DynamoDB may delete an item days after its `expires_at`. */
const isExpired = (item: unknown, nowMs: number): boolean => {
  const { expires_at } = expirySchema.safeParse(item).data ?? {};
  return expires_at !== undefined && expires_at * 1_000 <= nowMs;
};

/** Lists the items of a kind, ordered by id, without expired ones. Reads consistently. */
export const listOperations = async function* (
  client: DynamoDBDocumentClient,
  tableName: string,
  kind: OperationKind,
  nowMs: number,
): AsyncGenerator<unknown> {
  const pages = paginateQuery(
    { client },
    {
      TableName: tableName,
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': kind },
      ConsistentRead: true,
    },
  );
  for await (const { Items = [] } of pages) yield* Items.filter((item) => !isExpired(item, nowMs));
};

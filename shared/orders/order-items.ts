import { isDeepStrictEqual } from 'node:util';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { safeParse } from 'zod/v4/core';
import type { Expression, Update } from './expressions';
import { type Order, type OrderId, orderSchema, type Round, roundSchema } from './order';

/**
 * Result of a conditional write: applied, or rejected with the current order. There is no order when there is no item,
 * or when the item cannot be read; then `unreadableRound` is its round, if at least that is intact.
 */
export type WriteOutcome = Applied | Rejection;

export interface Applied {
  readonly applied: true;
  /** The previous values of the fields, if they were requested. Absent if a retry found the write in effect. */
  readonly before?: Readonly<Record<string, unknown>>;
  /** Whether a failure replaced the same one: its round was redriven and failed with the same cause again. */
  readonly isRepeated?: true;
}

export interface Rejection {
  readonly applied: false;
  readonly order: Order | undefined;
  readonly unreadableRound?: Round;
}

/**
 * Whether our own write caused the rejection: an earlier attempt's response was lost, and the item has all its fields.
 */
const isOurs = (
  { $metadata }: ConditionalCheckFailedException,
  set: Update['set'],
  item: Readonly<Record<string, unknown>> | undefined,
): boolean =>
  ($metadata.attempts ?? 1) > 1 &&
  Object.entries(set).every(([field, value]) => isDeepStrictEqual(item?.[field], value));

/** Reads and writes single items of the Orders table. */
export const createOrderItems = (client: DynamoDBDocumentClient, tableName: string) => {
  /** Reads an item consistently. */
  const get = async (orderId: OrderId): Promise<Record<string, unknown> | undefined> => {
    const key = { TableName: tableName, Key: { order_id: orderId }, ConsistentRead: true };
    return (await client.send(new GetCommand(key))).Item;
  };

  /**
   * Updates an item if the condition holds for it.
   *
   * @param returnBefore whether to return the previous values of the updated fields
   */
  const update = async (
    orderId: OrderId,
    { expression, names, values, set }: Update,
    condition: Expression,
    returnBefore = false,
  ): Promise<WriteOutcome> => {
    try {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { order_id: orderId },
          UpdateExpression: expression,
          ConditionExpression: condition.expression,
          ExpressionAttributeNames: { ...names, ...condition.names },
          ExpressionAttributeValues: { ...values, ...condition.values },
          ...(returnBefore && { ReturnValues: 'UPDATED_OLD' }),
        }),
      );
      return { applied: true, ...(Attributes && { before: Attributes }) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const item = await get(orderId);
      if (isOurs(error, set, item)) return { applied: true };
      const order = item && safeParse(orderSchema, item).data;
      const unreadableRound = order === undefined ? safeParse(roundSchema, item?.round).data : undefined;
      return { applied: false, order, ...(unreadableRound !== undefined && { unreadableRound }) };
    }
  };

  return { get, update };
};

export type OrderItems = ReturnType<typeof createOrderItems>;

import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { operationKey } from '../operations/key';
import { type Update, updateOf } from './expressions';
import type { DownloadMessage } from './message';

/** Updates the item of an unsent message. Each round has its own: an older round must not replace a newer one. */
export const updateUnsent = async (
  client: DynamoDBDocumentClient,
  tableName: string,
  { order_id, round }: DownloadMessage,
  { expression, names, values }: Update,
): Promise<void> => {
  await client.send(
    new UpdateCommand({
      TableName: tableName,
      Key: operationKey('UNSENT', `${order_id}/${round}`),
      UpdateExpression: expression,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    }),
  );
};

/**
 * Creates the function that keeps a download message in the Operations table until the reconciler sends it
 * (docs/adr/0032). A message can be kept again, also after it was sent. Apart from the other functions, because the
 * webhook needs no more in its bundle.
 */
export const createUnsentKeeper =
  (client: DynamoDBDocumentClient, tableName: string) =>
  (message: DownloadMessage): Promise<void> =>
    updateUnsent(client, tableName, message, updateOf({ message }, ['expires_at']));

/** Keeps a download message that could not be sent. */
export type KeepUnsent = ReturnType<typeof createUnsentKeeper>;

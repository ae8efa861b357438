import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { safeParse } from 'zod/v4/core';
import { listOperations } from '../operations/list';
import { updateOf } from './expressions';
import { type DownloadMessage, downloadMessageSchema } from './message';
import { updateUnsent } from './unsent-keeper';

const itemSchema = z.object({ message: downloadMessageSchema });

/** The messages that webhooks could not send (docs/adr/0032). */
export const createUnsentMessages = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** The messages that wait, and the number of those that this release cannot read. */
  list: async (
    nowMs: number,
  ): Promise<{ readonly messages: readonly DownloadMessage[]; readonly unreadable: number }> => {
    const messages: DownloadMessage[] = [];
    let unreadable = 0;
    for await (const item of listOperations(client, tableName, 'UNSENT', nowMs)) {
      const { data } = safeParse(itemSchema, item);
      if (data) messages.push(data.message);
      else unreadable += 1;
    }
    return { messages, unreadable };
  },

  /** Ends the wait of a message: its item expires at once. */
  close: (message: DownloadMessage, nowMs: number): Promise<void> =>
    updateUnsent(client, tableName, message, updateOf({ expires_at: Math.floor(nowMs / 1_000) })),
});

export type UnsentMessages = ReturnType<typeof createUnsentMessages>;

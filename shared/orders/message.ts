import * as z from 'zod/mini';
import { checksumSchema, orderIdSchema, requestIdSchema, roundSchema } from './order';

/** A message of the download queue: which round of which order, never the payload (claim check). */
export const downloadMessageSchema = z.object({
  order_id: orderIdSchema,
  round: roundSchema,
  request_id: requestIdSchema,
  /** Epoch ms. Present when an API asked for a longer wait than a message can be delayed. */
  not_before: z.optional(z.number()),
  /** Whether an earlier message of this round may have called the API already. */
  retried: z.optional(z.boolean()),
  /** Epoch ms. A redrive keeps the body, but SQS sets a new send time and counts receives from 1 again. */
  sent_at: z.optional(z.number()),
  /** Epoch ms. When the first of a chain of fresh copies was sent: SQS knows only the age of the last. */
  first_sent_at: z.optional(z.number()),
  /** `replay` or `reconciliation`. Absent if a webhook started the round. */
  started_by: z.optional(z.string()),
});
export type DownloadMessage = z.output<typeof downloadMessageSchema>;

/** A message of the processing queue: the same, and the location of the payload. */
export const processingMessageSchema = z.extend(downloadMessageSchema, {
  s3_key: z.string(),
  checksum: checksumSchema,
});
export type ProcessingMessage = z.output<typeof processingMessageSchema>;

const ownTypes: readonly string[] = ['replay', 'reconciliation'];

/** The field of a message that says who started its round. A webhook logs its round itself. */
export const starterOf = (notificationType: string): Pick<DownloadMessage, 'started_by'> =>
  ownTypes.includes(notificationType) ? { started_by: notificationType } : {};

/** The log fields that identify a message. */
export const identify = ({ order_id, request_id, started_by }: DownloadMessage) => ({
  order_id,
  request_id,
  ...(started_by !== undefined && { started_by }),
});

import * as z from 'zod/mini';
import { checksumSchema, orderIdSchema, requestIdSchema, roundSchema } from './order';

/** What the download queue carries: which round of which order, never the payload (claim check). */
export const downloadMessageSchema = z.object({
  order_id: orderIdSchema,
  round: roundSchema,
  request_id: requestIdSchema,
  /** Epoch ms; only where an API asked for a longer wait than a message can be delayed. */
  not_before: z.optional(z.number()),
});
export type DownloadMessage = z.output<typeof downloadMessageSchema>;

/** What the processing queue carries: the same, and where the payload is. */
export const processingMessageSchema = z.extend(downloadMessageSchema, {
  s3_key: z.string(),
  checksum: checksumSchema,
});
export type ProcessingMessage = z.output<typeof processingMessageSchema>;

import * as z from 'zod/mini';
import { errorCodes } from '../errors';

/** An order's id at Qualia: 1 to 128 of `[A-Za-z0-9_-]`, so that it can stand in an S3 key as it is. */
export const orderIdSchema = z
  .string('must be a string')
  .check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, "-" or "_"'))
  .brand<'OrderId'>();
export type OrderId = z.output<typeof orderIdSchema>;

/**
 * One notification followed to its end. Sorts by time: 15 digits of milliseconds since the epoch, `-`, 12 hex digits
 * of tail. Made in `round.ts`.
 */
export const roundSchema = z
  .string()
  .check(z.regex(/^\d{15}-[0-9a-f]{12}$/))
  .brand<'Round'>();
export type Round = z.output<typeof roundSchema>;

/** Born in the webhook, carried in every message and in `x-request-id` to the internal API. */
export const requestIdSchema = z.string().check(z.minLength(1), z.maxLength(64)).brand<'RequestId'>();
export type RequestId = z.output<typeof requestIdSchema>;

/** SHA-256 of a raw payload, 64 hex digits. */
export const checksumSchema = z
  .string()
  .check(z.regex(/^[0-9a-f]{64}$/))
  .brand<'Checksum'>();
export type Checksum = z.output<typeof checksumSchema>;

export const stageSchema = z.enum(['download', 'processing']);
/** The worker that an order failed in. */
export type Stage = z.output<typeof stageSchema>;

const itemSchema = () => {
  const timestamp = z.iso.datetime();
  const seen = {
    order_id: orderIdSchema,
    round: roundSchema,
    request_id: requestIdSchema,
    notification_type: z.string(),
    notified_at: timestamp,
    /** Receives that the newest step took, its last one included. */
    attempts: z.optional(z.number()),
    /** Checksum of the payload that the internal API took last, whichever round it was. */
    processed_checksum: z.optional(checksumSchema),
  };
  const downloaded = {
    downloaded_at: timestamp,
    s3_key: z.string(),
    checksum: checksumSchema,
    /** Bytes. */
    payload_size: z.number(),
  };
  const warning = z.object({
    code: z.enum(['BAD_DATE', 'BAD_NUMBER', 'MISSING_STATE']),
    /** The field of Qualia's order, such as `due_date` or `properties.0.state`. */
    field: z.string(),
  });
  const failure = z.object({
    code: z.enum(errorCodes),
    message: z.string(),
    stage: stageSchema,
    /** The first 2 KiB of what the internal API said when it refused the order. */
    answer: z.optional(z.string()),
  });
  return z.discriminatedUnion('status', [
    z.object({ ...seen, status: z.literal('NOTIFIED') }),
    z.object({ ...seen, ...downloaded, status: z.literal('DOWNLOADED') }),
    z.object({
      ...seen,
      ...downloaded,
      status: z.literal('PROCESSED'),
      processed_at: timestamp,
      warnings: z.optional(z.array(warning)),
    }),
    z.object({
      ...seen,
      ...z.partial(z.object(downloaded)).shape,
      status: z.literal('FAILED'),
      failed_at: timestamp,
      error: failure,
    }),
  ]);
};

/**
 * The one item that the Orders table holds of an order: its newest round. All times are ISO 8601 UTC.
 *
 * Built at its first use: to receive a webhook, no item is read, and its cold start is 2 ms shorter for it.
 */
export const orderSchema = z.lazy(itemSchema);
export type Order = z.output<typeof orderSchema>;
export type OrderStatus = Order['status'];

/** Why an order is FAILED. `RETRIES_EXHAUSTED` keeps its cause in the message. */
export type Failure = Extract<Order, { status: 'FAILED' }>['error'];

/** What the mapping could not carry over; the order goes on without it. */
export type Warning = NonNullable<Extract<Order, { status: 'PROCESSED' }>['warnings']>[number];

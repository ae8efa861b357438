import * as z from 'zod/mini';

/** An order's id at Qualia: 1 to 128 of `[A-Za-z0-9_-]`, so that it is valid in an S3 key. */
export const orderIdSchema = z
  .string('must be a string')
  .check(z.regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, "-" or "_"'))
  .brand<'OrderId'>();
export type OrderId = z.output<typeof orderIdSchema>;

/**
 * One notification, processed to its end. Sorts by time: 15 digits of milliseconds since the epoch, `-`, and a suffix of
 * 12 hex digits. Made in `round.ts`.
 */
export const roundSchema = z
  .string()
  .check(z.regex(/^\d{15}-[0-9a-f]{12}$/))
  .brand<'Round'>();
export type Round = z.output<typeof roundSchema>;

/** Created in the webhook, carried in every message and in `x-request-id` to the internal API. */
export const requestIdSchema = z.string().check(z.minLength(1), z.maxLength(64)).brand<'RequestId'>();
export type RequestId = z.output<typeof requestIdSchema>;

/** SHA-256 of a raw payload, 64 hex digits. */
export const checksumSchema = z
  .string()
  .check(z.regex(/^[0-9a-f]{64}$/))
  .brand<'Checksum'>();
export type Checksum = z.output<typeof checksumSchema>;

export const workerNameSchema = z.enum(['download', 'processing']);
/** The worker that an order failed in. */
export type WorkerName = z.output<typeof workerNameSchema>;

export const statusSchema = z.enum(['NOTIFIED', 'DOWNLOADED', 'PROCESSED', 'FAILED']);

/**
 * Only the fields that decisions depend on are strict. Unknown codes and attributes pass, so that a release can read the
 * items of a newer one that was rolled back.
 */
const itemSchema = () => {
  // `z.iso` would add 2 kB to every bundle.
  const timestamp = z
    .string()
    .check(z.refine((text) => /^[\d-]+T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text))));
  const seen = {
    order_id: orderIdSchema,
    round: roundSchema,
    request_id: requestIdSchema,
    notification_type: z.string(),
    notified_at: timestamp,
    /** The notification's own timestamp, UTC, with the digits that were received. */
    occurred_at: z.optional(z.string()),
    /** Status of the round before, when this one began. `unchanged` is trusted only after PROCESSED. */
    previous_status: z.optional(z.string()),
    /** Receives that the newest step took, including its last one. */
    attempts: z.optional(z.number()),
    /** Hash of the mapped body of the last POST that was recorded, whichever round made it. */
    processed_checksum: z.optional(checksumSchema),
    /** Digests of that body's fields (`shared/internal-api/body.ts`). */
    posted_fields: z.optional(z.string()),
    /** The round that made that POST. */
    posted_round: z.optional(z.string()),
    /** While present, the order is posted even if it is unchanged. Part of the idempotency key. */
    repost: z.optional(z.string()),
    /** No worker calls an API for this round before this time. */
    not_before: z.optional(timestamp),
  };
  const downloaded = {
    /** When the download began. Absent when the payload was stored by an earlier round. */
    download_started_at: z.optional(timestamp),
    downloaded_at: timestamp,
    s3_key: z.string(),
    checksum: checksumSchema,
    /** Bytes. */
    payload_size: z.number(),
  };
  const warning = z.object({
    code: z.string(),
    /** The field of Qualia's order, such as `due_date` or `properties.0.state`. */
    field: z.string(),
  });
  const failure = z.object({
    code: z.string(),
    message: z.string(),
    stage: workerNameSchema,
    /** The issue that groups the failures with this cause. */
    issue_id: z.optional(z.string()),
    /** HTTP status and detail of the cause (`shared/issues/cause.ts`). */
    status_code: z.optional(z.number()),
    detail: z.optional(z.string()),
    /** The first 2 KiB of the internal API's response to an order that it refused. */
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
 * The order's one item in the Orders table: its newest round. All times are ISO 8601 UTC.
 *
 * Built lazily: the webhook rarely reads an item, and this saves 2 ms of its cold start.
 */
export const orderSchema = z.lazy(itemSchema);
export type Order = z.output<typeof orderSchema>;
export type OrderStatus = z.output<typeof statusSchema>;

/** Why an order is FAILED. `RETRIES_EXHAUSTED` keeps its cause in the message. */
export type Failure = Extract<Order, { status: 'FAILED' }>['error'];

/** A value that the mapping could not read. The order is posted without it. */
export interface Warning {
  readonly code: 'BAD_DATE' | 'BAD_NUMBER' | 'MISSING_STATE';
  /** The field of Qualia's order, such as `due_date` or `properties.0.state`. */
  readonly field: string;
}

import * as z from 'zod/mini';
import { commonVariables, httpUrl, required } from '../../shared/config';
import { positiveCount } from '../../shared/positive-count';

export const configSchema = z.object({
  ...commonVariables,
  ORDERS_TABLE_NAME: required,
  OPERATIONS_TABLE_NAME: required,
  ARTIFACTS_BUCKET_NAME: required,
  DOWNLOAD_QUEUE_URL: httpUrl,
  RECONCILER_QUEUE_URL: httpUrl,
  QUALIA_API_URL: httpUrl,
  QUALIA_SECRET_ARN: required,
  /** Maximum number of rounds started per second. */
  ROUNDS_PER_SECOND: positiveCount,
  /** No round is started while the download queue holds more messages than this. */
  BACKLOG_LIMIT: positiveCount,
  /** Time for webhooks on their way to arrive, before orders are judged. */
  SETTLE_SECONDS: z.pipe(
    z.string('is missing').check(z.regex(/^\d{1,4}$/, 'is not a whole number')),
    z.transform(Number),
  ),
  /** Maximum number of calls per second from this process to Qualia. Absent: no limit. */
  QUALIA_CALLS_PER_SECOND: z.optional(positiveCount),
});

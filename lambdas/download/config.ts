import * as z from 'zod/mini';
import { commonVariables, httpUrl, required } from '../../shared/config';
import { positiveCount } from '../../shared/positive-count';

export const configSchema = z.object({
  ...commonVariables,
  /** Memory of the function, MiB. Lambda sets it. Absent: the least that a function can have. */
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: z.optional(positiveCount),
  ORDERS_TABLE_NAME: required,
  OPERATIONS_TABLE_NAME: required,
  RAW_BUCKET_NAME: required,
  DOWNLOAD_QUEUE_URL: httpUrl,
  PROCESSING_QUEUE_URL: httpUrl,
  MAX_RECEIVE_COUNT: positiveCount,
  QUALIA_API_URL: httpUrl,
  QUALIA_SECRET_ARN: required,
  /** Maximum number of calls per second from this process to Qualia. Absent: no limit. */
  QUALIA_CALLS_PER_SECOND: z.optional(positiveCount),
});

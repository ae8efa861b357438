import * as z from 'zod/mini';
import { commonVariables, httpUrl, required } from '../../shared/config';

export const configSchema = z.object({
  ...commonVariables,
  ORDERS_TABLE_NAME: required,
  OPERATIONS_TABLE_NAME: required,
  DOWNLOAD_QUEUE_URL: httpUrl,
  RAW_BUCKET_NAME: required,
  WEBHOOK_SECRET_ARN: required,
});

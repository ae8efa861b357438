import * as z from 'zod/mini';
import { commonVariables, required } from '../../shared/config';

export const configSchema = z.object({
  ...commonVariables,
  ORDERS_TABLE_NAME: required,
  OPERATIONS_TABLE_NAME: required,
  TOPIC_ARN: required,
});

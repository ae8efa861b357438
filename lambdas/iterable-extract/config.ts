import * as z from 'zod';
import { required } from '../../shared/config';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({
  ...runVariables,
  DATABASE_SECRET_ARN: required,
  /** Goes before the secret, unless it is empty. */
  DATABASE_URL: z.string('is missing'),
});

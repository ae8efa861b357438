import * as z from 'zod';
import { required } from '../../shared/config';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({
  ...runVariables,
  DATABASE_SECRET_ARN: required,
  /** Its API key is the key of the digests of sent users. */
  ITERABLE_SECRET_ARN: required,
  /** Takes precedence over the secret, unless empty. */
  DATABASE_URL: z.string('is missing'),
});

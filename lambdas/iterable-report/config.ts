import * as z from 'zod';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({
  ...runVariables,
  // `coerce` alone would read an empty text as 0.
  TOLERATED_FAILED_USERS_PERCENT: z.string().min(1).pipe(z.coerce.number<string>().min(0).max(5)),
});

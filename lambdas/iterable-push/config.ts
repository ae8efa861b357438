import * as z from 'zod';
import { httpUrl, required } from '../../shared/config';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({
  ...runVariables,
  ITERABLE_API_BASE_URL: httpUrl,
  ITERABLE_SECRET_ARN: required,
});

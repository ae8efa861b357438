import * as z from 'zod';
import { runVariables } from '../../shared/runs/variables';

export const configSchema = z.object({ ...runVariables, FAIL_PARTIAL_RUNS: z.stringbool() });

import { commonVariables, required } from '../config';

/** Environment variables of every sync Lambda. */
export const runVariables = {
  ...commonVariables,
  SYNC_RUNS_TABLE_NAME: required,
  OPERATIONS_TABLE_NAME: required,
  ARTIFACTS_BUCKET_NAME: required,
};

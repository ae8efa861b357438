import { commonVariables, required } from '../config';

/** What every Lambda of the sync jobs finds in its environment. */
export const runVariables = {
  ...commonVariables,
  SYNC_RUNS_TABLE_NAME: required,
  ARTIFACTS_BUCKET_NAME: required,
};

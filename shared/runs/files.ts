/** `YYYYMMDD_HHMMSS`, UTC: a run's start in the names of its files. */
export const fileStamp = (startedAt: string): string =>
  new Date(startedAt)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .replace('T', '_');

/** Where the CSV files of the extraction lie in the run's folder. */
export const extractionPaths = (stamp: string) => ({
  queryResults: `iterable/query_results_${stamp}.csv`,
  rejected: 'iterable/rejected.csv',
});

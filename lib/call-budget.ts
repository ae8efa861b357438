/** Calls per second that one process of each function may make; undefined without a budget. */
interface CallShares {
  readonly download: number | undefined;
  readonly reconciler: number | undefined;
  readonly processing: number | undefined;
}

/** The settings of a stage that concern calls to APIs, and the workers that make them. */
interface Budgets {
  readonly callsPerSecond?:
    | { readonly qualia?: number | undefined; readonly internalApi?: number | undefined }
    | undefined;
  readonly download: { readonly batchSize: number; readonly maxConcurrency: number };
  readonly processing: { readonly maxConcurrency: number };
}

/**
 * Divides the budgets among the processes that can call an API at the same time: the worker's maximum concurrency, and
 * for Qualia also the reconciler. Together they stay within the budget without coordination (docs/adr/0011). The
 * reconciler gets the remainder.
 */
export const callSharesOf = ({ callsPerSecond, download, processing }: Budgets): CallShares => {
  const { qualia, internalApi } = callsPerSecond ?? {};
  const perDownload = qualia && Math.floor((qualia - 1) / download.maxConcurrency);
  return {
    download: perDownload,
    reconciler: qualia && qualia - (perDownload ?? 0) * download.maxConcurrency,
    processing: internalApi && Math.floor(internalApi / processing.maxConcurrency),
  };
};

/** Faults of budgets that are too small to divide: each process needs at least one call per second. */
export const budgetFaults = (budgets: Budgets): { readonly path: string[]; readonly message: string }[] => {
  const { download, processing } = callSharesOf(budgets);
  const fault = (api: string, worker: 'download' | 'processing', least: number) => ({
    path: ['callsPerSecond', api],
    message: `must be at least ${least}, or ${worker}.maxConcurrency lower: each process needs a call per second`,
  });
  return [
    ...(download === 0 ? [fault('qualia', 'download', budgets.download.maxConcurrency + 1)] : []),
    ...(processing === 0 ? [fault('internalApi', 'processing', budgets.processing.maxConcurrency)] : []),
  ];
};

/** Maximum time, in seconds, that a new webhook waits behind rounds of the reconciler. */
const backlogSeconds = 5;
/** Maximum number of batches per download worker, queued or in progress. */
const backlogBatches = 4;

/** Messages in the download queue above which the reconciler starts no round. */
export const backlogLimitOf = (budgets: Budgets): number => {
  const { batchSize, maxConcurrency } = budgets.download;
  const perProcess = callSharesOf(budgets).download ?? Number.POSITIVE_INFINITY;
  return Math.ceil(maxConcurrency * Math.min(backlogBatches * batchSize, backlogSeconds * perProcess));
};

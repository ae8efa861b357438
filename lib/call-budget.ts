/** Calls per second that one process of each function may make; undefined without a budget. */
interface CallShares {
  readonly download: number | undefined;
  readonly reconciler: number | undefined;
  readonly processing: number | undefined;
}

/** What the stage configuration says about calls and about who makes them. */
interface Budgets {
  readonly callsPerSecond?:
    | { readonly qualia?: number | undefined; readonly internalApi?: number | undefined }
    | undefined;
  readonly download: { readonly batchSize: number; readonly maxConcurrency: number };
  readonly processing: { readonly maxConcurrency: number };
}

/**
 * Splits the budgets among the processes that may call an API at the same time: as many as the event source mapping runs
 * at once, and for Qualia the reconciler. Together they stay within the budget without a word between them
 * (docs/adr/0011). What does not divide evenly is the reconciler's.
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

/** Sentences about budgets that are too small to be split: with less than one call per second, a process waits too long. */
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

/** Seconds of the download workers' time that rounds of the reconciler may keep a fresh webhook waiting, at the most. */
const backlogSeconds = 5;
/** Batches that each download worker may find in the queue or have in hand. */
const backlogBatches = 4;

/** The reconciler starts no round while the download queue holds more messages than this. */
export const backlogLimitOf = (budgets: Budgets): number => {
  const { batchSize, maxConcurrency } = budgets.download;
  const perProcess = callSharesOf(budgets).download ?? Number.POSITIVE_INFINITY;
  return Math.ceil(maxConcurrency * Math.min(backlogBatches * batchSize, backlogSeconds * perProcess));
};

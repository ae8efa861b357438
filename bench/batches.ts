/** Batches of both workers in production, as in `lib/config.ts`. The assembly of the stage `dev` has smaller ones. */
export const productionBatches = { batchSize: 20, batchingWindowSeconds: 1 } as const;

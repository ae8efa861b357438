/** The parts of a stage that can be paused; `lib/config.ts` has the same list. */
export const pausableParts = ['download', 'processing', 'sync'] as const;
export type PausablePart = (typeof pausableParts)[number];

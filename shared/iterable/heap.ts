import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect its garbage early, at the price of some processor time. Left alone it does so only when the heap has
 * doubled, and most of what it then holds are users that were sent long ago. To be called before any work.
 */
export const keepHeapSmall = (): void => setFlagsFromString('--optimize-for-size');

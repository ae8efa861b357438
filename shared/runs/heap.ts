import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect garbage early, at the cost of some CPU time. By default V8 waits until the heap has doubled, and
 * most of the heap is then rows that were sent long ago. Call it before any work. Measured for 100,000 Netlife
 * subjects: peak 121 MiB instead of 131 to 143, 46 s of CPU time instead of 34.
 */
export const keepHeapSmall = (): void => {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--heap-growing-percent=20');
};

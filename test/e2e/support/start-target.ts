import { type EmbeddedTarget, startEmbeddedTarget } from './embedded-target';
import { announceTarget } from './target';

declare global {
  var e2eTarget: EmbeddedTarget | undefined;
}

/** Starts the pipeline on the embedded AWS for all test files. */
export default async (): Promise<void> => {
  globalThis.e2eTarget = await startEmbeddedTarget();
  announceTarget(globalThis.e2eTarget.target);
};

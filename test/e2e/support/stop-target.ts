import './start-target';

/** Stops what was started, and removes its state. */
export default async (): Promise<void> => globalThis.e2eTarget?.stop();

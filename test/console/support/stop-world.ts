import './start-world';

/** Stops the world, and removes its state. */
export default async (): Promise<void> => {
  await globalThis.stopConsoleWorld?.();
};

import { announceWorld, startConsoleWorld } from './world';

declare global {
  var stopConsoleWorld: (() => Promise<void>) | undefined;
}

/** Starts the world for all test files. */
export default async (): Promise<void> => {
  const { world, stop } = await startConsoleWorld();
  globalThis.stopConsoleWorld = stop;
  announceWorld(world);
};

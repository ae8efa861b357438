import { once } from 'node:events';
import { rmSync } from 'node:fs';
import './start-world';

/** Stops the world that `start-world.ts` started, and removes its state. */
export default async (): Promise<void> => {
  const running = globalThis.faultsWorld;
  if (running === undefined) return;
  if (running.process.exitCode === null) {
    const exited = once(running.process, 'exit');
    running.process.disconnect();
    await exited;
  }
  rmSync(running.stateDirectory, { recursive: true, force: true });
};

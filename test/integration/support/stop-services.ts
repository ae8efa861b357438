import { once } from 'node:events';
import './start-services';

/** Stops the embedded AWS by disconnecting from it. */
export default async (): Promise<void> => {
  const child = globalThis.integrationServices;
  if (child === undefined || child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
};

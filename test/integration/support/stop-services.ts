import { once } from 'node:events';
import './start-services';

/** Lets go of the embedded AWS, which then stops by itself. */
export default async (): Promise<void> => {
  const child = globalThis.integrationServices;
  if (child === undefined || child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
};

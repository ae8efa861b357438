import type { ConsoleWorld } from './world';

/** Reads a document of the console's API. */
export const readApi = async (world: ConsoleWorld, path: string): Promise<unknown> => {
  const { origin, cookie } = world.console;
  const response = await fetch(`${origin}/api${path}`, { headers: { cookie: `${cookie.name}=${cookie.value}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
};

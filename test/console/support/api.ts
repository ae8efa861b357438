import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { ConsoleWorld } from './world';

const call = async (url: string, options: RequestInit): Promise<unknown> => {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${options.method ?? 'GET'} ${url}: ${response.status}: ${await response.text()}`);
  return response.json();
};

const headersOf = ({ console: { origin, cookie } }: ConsoleWorld) => ({
  origin,
  cookie: `${cookie.name}=${cookie.value}`,
  'content-type': 'application/json',
});

/** Reads a document of the console's API. */
export const readApi = (world: ConsoleWorld, path: string): Promise<unknown> =>
  call(`${world.console.origin}/api${path}`, { headers: headersOf(world) });

/** Changes something through the console's API. */
export const postApi = (world: ConsoleWorld, path: string, body: object): Promise<unknown> =>
  call(`${world.console.origin}/api${path}`, {
    method: 'POST',
    headers: headersOf(world),
    body: JSON.stringify({ reason: '', ...body }),
  });

const simulatorsSchema = z.record(z.string(), z.url());

/** Changes how the Netlife simulator responds: the latency of every call, and its faults. */
export const setNetlife = async (
  { stateDirectory }: ConsoleWorld,
  { latencyMs = 0, faults = [] }: { readonly latencyMs?: number; readonly faults?: readonly object[] },
): Promise<void> => {
  const file = readFileSync(join(stateDirectory, 'simulators.json'), 'utf8');
  const { netlife } = simulatorsSchema.parse(JSON.parse(file));
  const put = (path: string, body: object) => call(`${netlife}${path}`, { method: 'PUT', body: JSON.stringify(body) });
  await put('/latency', { latency_ms: latencyMs });
  await put('/faults', faults);
};

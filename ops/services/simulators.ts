import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { QualiaOrder } from '../../samples/orders';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

/** The APIs of the order flow, which `npm start` simulates unless it gets the address of another one. */
export const simulatedApis = ['qualia', 'internal'] as const;
export type SimulatedApi = (typeof simulatedApis)[number];

const controlUrlsSchema = z
  .object({ qualia: z.url().optional(), internalApi: z.url().optional() })
  .transform(({ qualia, internalApi }) => ({ qualia, internal: internalApi }));

type Local = Pick<StageConnection, 'localStateDirectory'>;

/** The control addresses of the simulators. A stage on AWS has none, nor has an embedded AWS that runs alone. */
const controlUrlsOf = ({ localStateDirectory }: Local): z.output<typeof controlUrlsSchema> => {
  const file = localStateDirectory && path.join(localStateDirectory, 'simulators.json');
  if (file === undefined || !existsSync(file)) return { qualia: undefined, internal: undefined };
  return controlUrlsSchema.parse(parseJson(readFileSync(file, 'utf8')));
};

const call = async (url: string, what: string, options: RequestInit = {}): Promise<unknown> => {
  const response = await fetch(url, options);
  if (response.ok) return response.json();
  throw new ServiceFault('failed', `The simulator responded ${response.status} to ${what}.`);
};

/**
 * Adds an order to the Qualia simulator of the pipeline on this machine.
 *
 * @returns false if Qualia is not simulated
 */
export const addOrderToSimulator = async (stage: Local, order: QualiaOrder): Promise<boolean> => {
  const { qualia } = controlUrlsOf(stage);
  if (qualia === undefined) return false;
  await call(`${qualia}/orders`, 'the new order', { method: 'POST', body: JSON.stringify([order]) });
  return true;
};

const faultsSchema = z.array(z.looseObject({ kind: z.string(), message: z.string().optional() }));

/** Marks the fault of an outage: other faults of a simulator stay. */
const outageMessage = 'A rehearsed outage';
type Faults = z.output<typeof faultsSchema>;
const isOutage = ({ message }: Faults[number]): boolean => message === outageMessage;

const readFaults = async (url: string): Promise<Faults> =>
  faultsSchema.parse(await call(`${url}/faults`, 'a question'));

/** The APIs that are simulated, and whether each has a rehearsed outage. Empty for a stage on AWS. */
export const listOutages = async (
  stage: Local,
): Promise<readonly { readonly api: SimulatedApi; readonly is_down: boolean }[]> => {
  const urls = controlUrlsOf(stage);
  const listed = simulatedApis.map(async (api) => {
    const url = urls[api];
    return url === undefined ? [] : [{ api, is_down: (await readFaults(url)).some(isOutage) }];
  });
  return (await Promise.all(listed)).flat();
};

/**
 * Begins or ends an outage of a simulated API: it responds 503 to every call.
 *
 * @throws {ServiceFault} `failed` if the API is not simulated
 */
export const setOutage = async (
  stage: Pick<StageConnection, 'localStateDirectory' | 'changes'>,
  api: SimulatedApi,
  isDown: boolean,
): Promise<void> => {
  stage.changes.check('An outage');
  const url = controlUrlsOf(stage)[api];
  if (url === undefined) throw new ServiceFault('failed', 'Only an API that is simulated on this machine can fail.');
  const others = (await readFaults(url)).filter((fault) => !isOutage(fault)).map(({ hits: _hits, ...fault }) => fault);
  const outage = { kind: 'server_error', message: outageMessage };
  await call(`${url}/faults`, 'the outage', {
    method: 'PUT',
    body: JSON.stringify(isDown ? [outage, ...others] : others),
  });
};

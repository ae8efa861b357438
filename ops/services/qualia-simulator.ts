import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { QualiaOrder } from '../../samples/orders';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

const simulatorsSchema = z.object({ qualia: z.url().optional() });

/**
 * Adds an order to the Qualia simulator of the pipeline on this machine.
 *
 * @returns false if Qualia is not simulated
 */
export const addOrderToSimulator = async (
  { localStateDirectory }: Pick<StageConnection, 'localStateDirectory'>,
  order: QualiaOrder,
): Promise<boolean> => {
  if (localStateDirectory === undefined) return false;
  const file = path.join(localStateDirectory, 'simulators.json');
  const { qualia } = simulatorsSchema.parse(parseJson(readFileSync(file, 'utf8')));
  if (qualia === undefined) return false;
  const { status } = await fetch(`${qualia}/orders`, { method: 'POST', body: JSON.stringify([order]) });
  if (status === 200) return true;
  throw new ServiceFault('failed', `The Qualia simulator responded ${status} to the new order.`);
};

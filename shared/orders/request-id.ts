import { randomBytes } from 'node:crypto';
import type { RequestId } from './order';

const bytes = 10;

/**
 * Creates the id of a request: twenty random hex digits. Each of an order's log lines repeats it, so it is shorter than a
 * UUID (docs/adr/0016). The probability that any two of a hundred million orders have the same one is below one in a
 * hundred million.
 */
export const newRequestId = (): RequestId => randomBytes(bytes).toString('hex') as RequestId;

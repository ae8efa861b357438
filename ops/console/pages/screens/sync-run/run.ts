import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';

/** The document of the screen of a run. */
export type RunDocument = InferResponseType<(typeof api)['sync-runs'][':id']['$get']>;

/** The id of the first row of a state in the waterfall. */
export const turnsId = (state: string): string => `turns-${state}`;

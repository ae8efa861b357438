import type { Logger } from '@aws-lambda-powertools/logger';
import { toPipelineError } from '../../shared/errors';
import type { RefusedBody } from '../../shared/refused-bodies';
import type { StoreRefusedBody } from './refused-body-store';

interface KeepRefusedOptions {
  /** Called for the first body: other processes need no client of S3. */
  readonly createStore: () => StoreRefusedBody;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Maximum number of bodies that one process keeps per minute. It is above the rate of Qualia's webhooks, so that a change of
 * their shape loses none, and it limits what a flood costs to 0.02 USD per hour and process.
 */
export const maxKeptPerMinute = 60;
const minuteMs = 60_000;

/**
 * Keeps the bodies that the webhook refuses with 422, at a bounded rate, so that an operator can accept them after a fix. Never
 * throws: the response does not depend on it.
 *
 * @returns a function that returns the id of the kept body; undefined if it was not kept
 */
export const createRefusedKeeper = ({ createStore, logger, now }: KeepRefusedOptions) => {
  let store: StoreRefusedBody | undefined;
  let minute = 0;
  let kept = 0;
  return async (refused: Omit<RefusedBody, 'received_at'>): Promise<string | undefined> => {
    const nowMs = now();
    const current = Math.floor(nowMs / minuteMs);
    if (current !== minute) {
      minute = current;
      kept = 0;
    }
    if (kept >= maxKeptPerMinute) return undefined;
    kept++;
    try {
      store ??= createStore();
      return await store({ received_at: new Date(nowMs).toISOString(), ...refused });
    } catch (thrown) {
      const error = toPipelineError(thrown);
      logger.error('refused body was not kept', { error: error.message, error_code: error.code, error_details: error });
      return undefined;
    }
  };
};

export type KeepRefused = ReturnType<typeof createRefusedKeeper>;

import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import type { Random } from '../../../samples/random';
import type { Server } from '../connection';
import type { Trouble } from '../faults';

/** One POST that took effect. */
export interface Effect {
  readonly round: string;
  readonly body: unknown;
}

/** The internal API: each idempotency key takes effect once, and the newest POST wins, whatever its round. */
export const createInternalApi = (options: {
  readonly now: () => number;
  readonly callsPerSecond: number;
  readonly choose: Random;
  readonly isTroubled: (trouble: Trouble, orderId: string) => boolean;
  /** Called with the order of each POST. */
  readonly onPost: (orderId: string) => void;
  /** Called with the effects of an order after each. */
  readonly onEffect: (orderId: string, effects: readonly Effect[]) => void;
}) => {
  const { now, callsPerSecond, choose, isTroubled, onPost, onEffect } = options;
  const keys = new Set<string>();
  const effects = new Map<string, Effect[]>();
  const calls = createSlidingSecond(() => callsPerSecond);

  const take = (key: string, effect: Effect, orderId: string): void => {
    keys.add(key);
    const ofOrder = [...(effects.get(orderId) ?? []), effect];
    effects.set(orderId, ofOrder);
    onEffect(orderId, ofOrder);
  };

  const respond: Server['respond'] = ({ headers, body }) => {
    const parsed = JSON.parse(body) as { qualiaOrderId: string };
    const { qualiaOrderId: orderId } = parsed;
    onPost(orderId);
    const key = headers['idempotency-key'] ?? '';
    const isSwallowed = isTroubled('swallowed', orderId);
    if (keys.has(key)) return { statusCode: isSwallowed ? 500 : 409, body: '' };
    if (isTroubled('internal', orderId)) return { statusCode: 500, body: '' };
    if (isTroubled('refused', orderId)) return { statusCode: 422, body: '' };
    take(key, { round: headers['x-order-round'] ?? '', body: parsed }, orderId);
    return { statusCode: isSwallowed ? 500 : 201, body: '' };
  };

  /** A request does not arrive long after its client gave it up: then no client could prevent that an older order wins. */
  const longestMs = { request: 12_000, response: 60_000 } as const;

  const delayMs: Server['delayMs'] = ({ body }, part) => {
    const { qualiaOrderId } = JSON.parse(body) as { qualiaOrderId: string };
    if (!isTroubled('dragged', qualiaOrderId)) return 0;
    return choose.fraction() * choose.pick([2_000, longestMs[part]]);
  };

  return {
    server: { respond, delayMs, onSent: () => void calls.take(now()) } satisfies Server,
    /** Records the effect of a POST that an earlier release made. */
    take,
    /** The effects of an order, oldest first. */
    effects: (orderId: string): readonly Effect[] => effects.get(orderId) ?? [],
    mostCalls: calls.most,
  };
};

export type InternalApi = ReturnType<typeof createInternalApi>;

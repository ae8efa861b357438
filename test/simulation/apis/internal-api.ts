import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import type { Server } from '../connection';

/** One POST that took effect. */
export interface Effect {
  readonly round: string;
  readonly body: unknown;
}

/** The internal API: each idempotency key takes effect once, and the newest POST wins, whatever its round. */
export const createInternalApi = (options: {
  readonly now: () => number;
  readonly callsPerSecond: number;
  readonly isPoisoned: (orderId: string) => boolean;
}) => {
  const { now, callsPerSecond, isPoisoned } = options;
  const keys = new Set<string>();
  const effects = new Map<string, Effect[]>();
  const calls = createSlidingSecond(() => callsPerSecond);

  const respond: Server['respond'] = ({ headers, body }) => {
    const key = headers['idempotency-key'] ?? '';
    if (keys.has(key)) return { statusCode: 409, body: '' };
    const parsed = JSON.parse(body) as { qualiaOrderId: string };
    if (isPoisoned(parsed.qualiaOrderId)) return { statusCode: 500, body: '' };
    keys.add(key);
    const ofOrder = effects.get(parsed.qualiaOrderId) ?? [];
    ofOrder.push({ round: headers['x-order-round'] ?? '', body: parsed });
    effects.set(parsed.qualiaOrderId, ofOrder);
    return { statusCode: 201, body: '' };
  };

  return {
    server: { respond, onSent: () => void calls.take(now()) } satisfies Server,
    /** The effects of an order, oldest first. */
    effects: (orderId: string): readonly Effect[] => effects.get(orderId) ?? [],
    mostCalls: calls.most,
  };
};

export type InternalApi = ReturnType<typeof createInternalApi>;

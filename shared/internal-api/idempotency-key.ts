import { hash, randomBytes } from 'node:crypto';
import type { Checksum, OrderId, Round } from '../orders/order';

/** One intended effect at the internal API. */
export interface Effect {
  readonly orderId: OrderId;
  readonly round: Round;
  readonly bodyHash: Checksum;
  /** The order's `repost`: set when the same body must take effect once more within the round. */
  readonly repost: string | undefined;
}

/**
 * A new value for an order's `repost`. Each request needs its own: with an equal value, a second request in the same
 * round would not change the item, and the newest round could be recorded without posting again.
 */
export const newRepostToken = (): string => randomBytes(6).toString('hex');

/**
 * The `Idempotency-Key` of an effect (docs/contracts/internal-api.md, "Which effect a key names"): `<order_id>:<32 hex
 * digits>`. Every delivery of a round has the same key, so that a repeated POST counts once. Every other round has
 * another key, so that a body that comes back (A→B→A) takes effect again.
 */
export const idempotencyKeyOf = ({ orderId, round, bodyHash, repost = '' }: Effect): string =>
  `${orderId}:${hash('sha256', `${round}:${bodyHash}:${repost}`, 'hex').slice(0, 32)}`;

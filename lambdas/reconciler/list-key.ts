import { createHash } from 'node:crypto';
import { orderIdSchema } from '../../shared/orders/order';

const foreignMark = '!';

/** The key of a listed order in a pass: its id, or a hash that replaces an id that is not valid in a webhook. */
export const keyOf = (id: string): string =>
  orderIdSchema.safeParse(id).success ? id : foreignMark + createHash('sha256').update(id).digest('base64url');

/** Whether the key is of an entry that cannot be an order of ours. */
export const isForeign = (key: string): boolean => key.startsWith(foreignMark);

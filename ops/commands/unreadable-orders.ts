import type { OrderId } from '../../shared/orders/order';
import { oneLine, plural, type Terminal } from './terminal';

const maxNamed = 5;

/** Reports failed orders that cannot be listed because their items do not have the format of this version. */
export const noteUnreadable = (orderIds: readonly OrderId[], terminal: Terminal): void => {
  if (orderIds.length === 0) return;
  const more = orderIds.length > maxNamed ? `, and ${orderIds.length - maxNamed} more` : '';
  const named = orderIds.slice(0, maxNamed).map(oneLine).join(', ');
  terminal.note(`This version cannot read ${plural(orderIds.length, 'failed order')}: ${named}${more}.`);
};

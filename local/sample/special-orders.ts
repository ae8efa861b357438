import { sampleOrder, withBadValues, withUnknownState } from '../../samples/orders';
import type { Fault } from '../simulators/faults';

/** The faults of an order whose download fails a few times and then succeeds. */
const passingFaults = (orderId: string): Fault[] => [
  { match: { order_id: orderId }, kind: 'server_error', times: 1 },
  { match: { order_id: orderId }, kind: 'hang_up', times: 1 },
];

const unknownState = withUnknownState({
  ...sampleOrder(0),
  _id: 'QO-UNKNOWN-STATE',
  order_number: 'MKT-UNKNOWN-STATE',
});
const badValues = withBadValues({ ...sampleOrder(2), _id: 'QO-BAD-VALUES', order_number: 'MKT-BAD-VALUES' });
const flaky = { ...sampleOrder(4), _id: 'QO-FLAKY', order_number: 'MKT-FLAKY' };

/** Orders to try by hand: serve `orders` with `faults`; `unknownId` is of an order that Qualia does not have. */
export const specialOrders = {
  orders: [unknownState, badValues, flaky],
  faults: passingFaults(flaky._id),
  unknownStateId: unknownState._id,
  badValuesId: badValues._id,
  flakyId: flaky._id,
  unknownId: 'QO-NOT-AT-QUALIA',
};

import { isOpenFor, type State, stateOf, type TransitionName, transitions } from '../../../../shared/orders/lifecycle';
import type { Order } from '../../../../shared/orders/order';
import { orders } from '../../../support/orders';

const inState: Record<State, Order> = {
  NOTIFIED: orders.notified(),
  DOWNLOADED: orders.downloaded(),
  PROCESSED: orders.processed(),
  FAILED: orders.failed('UNKNOWN_STATE'),
  EXHAUSTED: orders.failed('RETRIES_EXHAUSTED'),
};
const states: State[] = ['NOTIFIED', 'DOWNLOADED', 'PROCESSED', 'FAILED', 'EXHAUSTED'];

/** Every transition: the status that it sets, and the states from which it is allowed. */
const table: Record<TransitionName, { to: string; from: State[] }> = {
  download: { to: 'DOWNLOADED', from: ['NOTIFIED', 'EXHAUSTED'] },
  process: { to: 'PROCESSED', from: ['DOWNLOADED', 'EXHAUSTED'] },
  failDownload: { to: 'FAILED', from: ['NOTIFIED', 'EXHAUSTED'] },
  failProcessing: { to: 'FAILED', from: ['DOWNLOADED', 'EXHAUSTED'] },
  exhaustDownload: { to: 'FAILED', from: ['NOTIFIED', 'DOWNLOADED', 'EXHAUSTED'] },
  exhaustProcessing: { to: 'FAILED', from: ['DOWNLOADED', 'EXHAUSTED'] },
};
const names = Object.keys(table) as TransitionName[];

test('the table has no other transition', () => {
  expect(Object.keys(transitions).sort()).toEqual([...names].sort());
});

test.each(names)('%s sets the expected status', (name) => {
  expect(transitions[name].to).toBe(table[name].to);
});

test.each(states)('recognizes an order that is %s', (state) => {
  expect(stateOf(inState[state])).toBe(state);
});

test.each(names.flatMap((name) => states.map((state) => [name, state, table[name].from.includes(state)] as const)))(
  '%s from %s is allowed: %p',
  (name, state, allowed) => {
    expect(isOpenFor(name, inState[state])).toBe(allowed);
  },
);

test('no transition is allowed from PROCESSED, or from a permanent FAILED', () => {
  for (const name of names) {
    expect(isOpenFor(name, inState.PROCESSED)).toBe(false);
    expect(isOpenFor(name, inState.FAILED)).toBe(false);
  }
});

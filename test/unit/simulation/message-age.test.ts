import { createMessageAgeOracle, maxWaitMs } from '../../simulation/message-age';
import type { QueuedMessage } from '../../simulation/models/queues';
import type { Violation } from '../../simulation/oracles';

const minuteMs = 60_000;

const message = (id: string, sentAtMs: number): QueuedMessage => ({
  id,
  body: JSON.stringify({ order_id: 'QO-1', round: 'r' }),
  attributes: undefined,
  sentAtMs,
  visibleAtMs: sentAtMs,
  receives: 0,
  firstReceivedAtMs: undefined,
});

const watch = () => {
  const violations: Violation[] = [];
  let [nowMs, messages]: [number, readonly QueuedMessage[]] = [0, []];
  const oracle = createMessageAgeOracle({
    now: () => nowMs,
    urls: ['download'],
    messages: () => messages,
    report: (violation) => void violations.push(violation),
  });
  const look = (atMs: number, ...present: readonly QueuedMessage[]): void => {
    [nowMs, messages] = [atMs, present];
    oracle.check();
  };
  return { look, violations };
};

test('fresh copies of a message that wait too long together are reported once', () => {
  const { look, violations } = watch();
  look(maxWaitMs / 2, message('1', 0));
  look(maxWaitMs, message('2', maxWaitMs / 2));
  expect(violations).toEqual([]);
  look(maxWaitMs + minuteMs, message('3', maxWaitMs));
  look(maxWaitMs + 2 * minuteMs, message('3', maxWaitMs));
  expect(violations).toEqual([{ oracle: 'messages', about: 'QO-1 r in download for 91 minutes' }]);
});

test('a round that has left its queue starts anew', () => {
  const { look, violations } = watch();
  look(maxWaitMs, message('1', 0));
  look(maxWaitMs + minuteMs);
  look(2 * maxWaitMs, message('2', maxWaitMs + minuteMs));
  expect(violations).toEqual([]);
});

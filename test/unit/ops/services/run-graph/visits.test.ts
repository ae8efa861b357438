import { type HistoryEvent, visitsOf } from '../../../../../ops/services/run-graph/visits';

let lastId = 0;
beforeEach(() => {
  lastId = 0;
});
const event = (type: string, more: HistoryEvent = {}): HistoryEvent => {
  lastId += 1;
  return { id: lastId, previousEventId: lastId - 1, timestamp: new Date(lastId * 1_000), type, ...more };
};
const enter = (name: string) => event('TaskStateEntered', { stateEnteredEventDetails: { name } });
const exit = (name: string) => event('TaskStateExited', { stateExitedEventDetails: { name } });
const scheduled = (more: HistoryEvent = {}) => event('LambdaFunctionScheduled', more);
const failedWith = (error: string) => event('LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: { error } });

test('a visit lasts from its entry to its exit', () => {
  expect(visitsOf([event('ExecutionStarted'), enter('Plan'), scheduled(), exit('Plan'), enter('Push')])).toEqual([
    { state: 'Plan', type: 'Task', enteredMs: 2_000, leftMs: 4_000, end: 'succeeded', failures: 0, error: undefined },
    { state: 'Push', type: 'Task', enteredMs: 5_000, leftMs: undefined, end: undefined, failures: 0, error: undefined },
  ]);
});

test('a state that is left after a failed attempt was caught, and after a retry succeeded', () => {
  const caught = [enter('Push'), scheduled(), failedWith('RateLimited'), exit('Push')];
  const retried = [enter('Push'), scheduled(), failedWith('RateLimited'), scheduled(), exit('Push')];
  expect(visitsOf([...caught, ...retried])).toMatchObject([
    { end: 'caught', failures: 1, error: 'RateLimited' },
    { end: 'succeeded', failures: 1, error: 'RateLimited' },
  ]);
});

test('an attempt that timed out has no error of its own', () => {
  expect(visitsOf([enter('Push'), scheduled(), event('LambdaFunctionTimedOut')])).toMatchObject([
    { end: undefined, failures: 1, error: 'States.Timeout' },
  ]);
});

test('follows the previous event, because the events of branches alternate', () => {
  const netlife = enter('Netlife');
  const iterable = enter('Iterable');
  const first = scheduled({ previousEventId: netlife.id });
  const second = scheduled({ previousEventId: iterable.id });
  const failure = event('LambdaFunctionFailed', {
    previousEventId: first.id,
    lambdaFunctionFailedEventDetails: { error: 'BadLogin' },
  });
  expect(visitsOf([netlife, iterable, first, second, failure])).toMatchObject([{ error: 'BadLogin' }, { failures: 0 }]);
});

test.each([
  ['ExecutionFailed', 'failed'],
  ['ExecutionTimedOut', 'failed'],
  ['ExecutionAborted', 'stopped'],
  ['ExecutionSucceeded', 'succeeded'],
])('%s ends the visits that last', (type, end) => {
  expect(visitsOf([enter('Push'), event(type)])).toMatchObject([{ end, leftMs: 2_000 }]);
});

test('a redrive continues the visit that failed', () => {
  const first = [enter('Finish'), scheduled(), failedWith('RunFailed')];
  const again = [event('ExecutionFailed'), event('ExecutionRedriven'), scheduled({ previousEventId: 3 })];
  expect(visitsOf([...first, ...again])).toMatchObject([{ end: undefined, leftMs: undefined }]);
  expect(visitsOf([...first, ...again, exit('Finish')])).toMatchObject([{ end: 'succeeded', leftMs: 7_000 }]);
});

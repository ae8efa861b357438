import { allOf, allows, hasRepost, isInRound, isOlderThan, updateOf } from '../../../../shared/orders/expressions';
import { round } from '../../../support/orders';

test('an update sets the given fields, leaves out undefined values, and removes the others', () => {
  expect(updateOf({ status: 'NOTIFIED', occurred_at: undefined }, ['error'])).toEqual({
    set: { status: 'NOTIFIED' },
    expression: 'SET #status = :status REMOVE #error',
    names: { '#status': 'status', '#error': 'error' },
    values: { ':status': 'NOTIFIED' },
  });
});

test('a condition does not use a placeholder of an update', () => {
  const update = updateOf({ round: round(2), status: 'PROCESSED', repost: 'a' });
  const conditions = [isOlderThan(round(1)), isInRound(round(1)), hasRepost('b'), allows('process')];
  const used = conditions.flatMap(({ values }) => Object.keys(values));
  expect(used.filter((name) => name in update.values)).toEqual([]);
});

test('all conditions are joined in parentheses', () => {
  expect(allOf(isInRound(round(1)), hasRepost(undefined))).toEqual({
    expression: '(#round = :if_round) AND (attribute_not_exists(#repost))',
    names: { '#round': 'round', '#repost': 'repost' },
    values: { ':if_round': round(1) },
  });
});

test('a transition is allowed from its states, and from FAILED only if its receives ran out', () => {
  expect(allows('download')).toMatchObject({
    expression: '#status IN (:if_NOTIFIED) OR (#status = :if_FAILED AND #error.#code = :if_exhausted)',
    values: { ':if_NOTIFIED': 'NOTIFIED', ':if_FAILED': 'FAILED', ':if_exhausted': 'RETRIES_EXHAUSTED' },
  });
});

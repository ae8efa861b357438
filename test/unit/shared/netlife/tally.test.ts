import { addStatistics } from '../../../../shared/netlife/stats';
import { type RejectedRow, Tally } from '../../../../shared/netlife/tally';

const row: RejectedRow = { portal: 'p', job_uuid: 'j1', list: 'buyers', position: 1, reason: 'uuid is missing' };

test('taken counts add up to the total', () => {
  const tally = new Tally();
  tally.count({ activities_found: 3, api_calls_total: 1 });
  tally.count({ subjects_total: 5, api_calls_total: 2, errors: ['a'] }, 'j1');
  const part = tally.take('j1');
  tally.count({ subjects_total: 7 }, 'j1');
  tally.reject([row], 'j1');
  const rest = tally.take();
  expect(part).toEqual({
    statistics: addStatistics({ subjects_total: 5, api_calls_total: 2, errors: ['a'] }),
    rejected: [],
  });
  expect(rest.rejected).toEqual([row]);
  expect(addStatistics(part.statistics, rest.statistics)).toEqual(tally.total());
  expect(tally.total()).toMatchObject({ subjects_total: 12, rows_rejected: 1, api_calls_total: 3 });
  expect(tally.take().statistics).toEqual(addStatistics());
});

test('discarding the results of a job keeps the counts of its calls', () => {
  const tally = new Tally();
  tally.count({ errors: ['a', 'of another job'] }, 'j2');
  const { errors } = tally.take('j2').statistics;
  tally.count({ api_calls_total: 4, retries: 1, subjects_total: 9, errors: ['a', 'b'] }, 'j1');
  tally.reject([row], 'j1');
  tally.discard('j1');
  const kept = addStatistics({ api_calls_total: 4, retries: 1 });
  expect(tally.total()).toEqual({ ...kept, errors });
  expect(tally.take('j1')).toEqual({ statistics: kept, rejected: [] });
});

test('200,000 rejected rows of one list are counted', () => {
  const tally = new Tally();
  tally.reject(Array<RejectedRow>(200_000).fill(row), 'j1');
  expect(tally.take('j1').rejected).toHaveLength(200_000);
});

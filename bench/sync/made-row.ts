import type { SourceRow } from '../../shared/iterable/rows';

/** A row of the query, as long as usual. */
export const madeRow = (id: number, change: Partial<SourceRow> = {}): SourceRow => ({
  id: String(id),
  email: `user${id}@example.com`,
  first_name: 'Ada',
  last_name: `Example ${id}`,
  plan_type: 'pro',
  candidate: id % 3 === 0 ? null : `Candidate ${id}`,
  page: 'pricing',
  device: 'desktop',
  browser: 'Firefox',
  location: 'New York, NY',
  event_time: '2026-01-02 03:04:05',
  ...change,
});

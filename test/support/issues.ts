import type { Issue } from '../../shared/issues/issue';

/** An issue that opened and was seen last on 1 January 2026. */
export const issue = (fields: Partial<Issue> = {}): Issue => ({
  id: 'd0434cbf',
  worker: 'processing',
  code: 'API_REFUSED',
  status_code: 422,
  detail: 'dueDate',
  count: 1,
  sample: 'QO-1',
  first_seen: '2026-01-01T00:00:00.000Z',
  last_seen: '2026-01-01T00:00:00.000Z',
  release: '1.0.0 (abc1234)',
  last_release: '1.0.0 (abc1234)',
  ...fields,
});

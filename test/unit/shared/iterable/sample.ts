import { readRow, type SourceRow, type Viewer } from '../../../../shared/iterable/rows';

/** A row that can be sent; the e-mail is derived from `id`. */
export const row = (id: number, changes: Partial<SourceRow> = {}): SourceRow => ({
  id: String(id),
  email: `user${id}@example.com`,
  first_name: 'Maria',
  last_name: 'Sample',
  plan_type: 'pro',
  candidate: 'Northwind Title',
  page: 'pricing',
  device: 'desktop',
  browser: 'Chrome',
  location: 'New York, NY',
  event_time: '2026-11-20 10:02:33',
  ...changes,
});

export const user = (id: number, changes: Partial<SourceRow> = {}): Viewer => {
  const read = readRow(row(id, changes));
  if ('rejected' in read) throw new Error(read.rejected.reason);
  return read.user;
};

export const users = (count: number): Viewer[] => Array.from({ length: count }, (_, index) => user(index + 1));

export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

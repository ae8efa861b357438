import * as z from 'zod/mini';

/** A query that the operator saved in this browser. */
export interface OwnQuery {
  readonly name: string;
  readonly query: string;
}

const key = 'pipeline-queries';
const schema = z.array(z.object({ name: z.string(), query: z.string() }));

/** Reads the operator's own queries, by name. Anything else under the key is ignored. */
export const readOwnQueries = (): readonly OwnQuery[] => {
  try {
    return schema.safeParse(JSON.parse(localStorage.getItem(key) ?? '[]')).data ?? [];
  } catch {
    return [];
  }
};

/** Saves a query, instead of an earlier one of the same name. @returns all */
export const saveOwnQuery = (query: OwnQuery): readonly OwnQuery[] => {
  const others = readOwnQueries().filter(({ name }) => name !== query.name);
  const all = [...others, query].toSorted((a, b) => a.name.localeCompare(b.name));
  localStorage.setItem(key, JSON.stringify(all));
  return all;
};

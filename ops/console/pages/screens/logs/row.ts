/** A row of a query: column → value. */
export type LogRow = ReadonlyMap<string, string>;

import type { Value } from './values';

/** What gives a value for a row. Operators are calls of their signs. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'match'; readonly text: Expression; readonly pattern: RegExp }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'aggregate'; readonly name: string; readonly arguments: readonly Expression[] };

/** An expression under its alias, or under the text that it was written as. */
export interface Column {
  readonly name: string;
  readonly expression: Expression;
}

/** What `sort` goes by; direction -1 is descending. */
export interface SortKey extends Column {
  readonly direction: 1 | -1;
}

/** One step of a query. */
export type Command =
  | { readonly kind: 'fields'; readonly columns: readonly Column[] }
  | { readonly kind: 'display'; readonly names: readonly string[] }
  | { readonly kind: 'filter'; readonly condition: Expression }
  /** The groups of the pattern become fields: by `names` in their order, or by the names that they have. */
  | { readonly kind: 'parse'; readonly text: Expression; readonly pattern: RegExp; readonly names: readonly string[] }
  | { readonly kind: 'stats'; readonly columns: readonly Column[]; readonly groups: readonly Column[] }
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'dedup'; readonly names: readonly string[] }
  | { readonly kind: 'limit'; readonly count: number };

/** What is done to the events, step by step. */
export type Query = readonly Command[];

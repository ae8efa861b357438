import type { Value } from './values';

/** An expression that has a value for each row. An operator is a call with its sign as the name. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'match'; readonly text: Expression; readonly pattern: RegExp }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'aggregate'; readonly name: string; readonly arguments: readonly Expression[] };

/** An expression, named by its alias or its source text. */
export interface Column {
  readonly name: string;
  readonly expression: Expression;
}

/** A key of `sort`; direction -1 is descending. */
export interface SortKey extends Column {
  readonly direction: 1 | -1;
}

/** One command of a query. */
export type QueryCommand =
  | { readonly kind: 'fields'; readonly columns: readonly Column[] }
  | { readonly kind: 'display'; readonly names: readonly string[] }
  | { readonly kind: 'filter'; readonly condition: Expression }
  /** The groups of the pattern become fields, named by `names` in order or by the group's own name. */
  | { readonly kind: 'parse'; readonly text: Expression; readonly pattern: RegExp; readonly names: readonly string[] }
  | { readonly kind: 'stats'; readonly columns: readonly Column[]; readonly groups: readonly Column[] }
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'dedup'; readonly names: readonly string[] }
  | { readonly kind: 'limit'; readonly count: number };

/** The commands of a query, in order. */
export type Query = readonly QueryCommand[];

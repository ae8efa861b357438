import type { Column, Expression, Query, SortKey } from './ast';
import { createEventRow, type LogEvent } from './row';
import { computing, counting, filtering, grouping, ordering, parsing, type Sink, type Stage } from './stages';
import { toText } from './values';

/** One row of a result: its fields in the order of the columns, without those that it lacks. */
export type ResultRow = readonly { readonly field: string; readonly value: string }[];

/** How much a query has read, and how many events its filters let through. */
export interface QueryStatistics {
  recordsMatched: number;
  recordsScanned: number;
  bytesScanned: number;
}

/** A stretch of time, in Unix ms: its first moment, and the first one behind it. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface RunOptions {
  /** Events outside of it are passed over. */
  readonly period?: Period;
  /** Most rows, also where the query allows more; {@link maxRows} unless told. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal;
}

/** As many rows as CloudWatch gives at most. */
export const maxRows = 10_000;

const always: Period = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
const field = (name: string): Expression => ({ kind: 'field', name });
const newestFirst: readonly SortKey[] = [{ name: '@timestamp', expression: field('@timestamp'), direction: -1 }];

/**
 * Runs a query over events, which may come in any order and are read once. Held in memory is what its `sort`, `stats`
 * and `dedup` need, and no more rows than its limit.
 * @returns the rows at the end, and the statistics, which grow until then
 */
export const runQuery = (
  query: Query,
  events: AsyncIterable<LogEvent>,
  { period: { fromMs, toMs } = always, limit = maxRows, signal }: RunOptions = {},
): { readonly statistics: Readonly<QueryStatistics>; readonly rows: Promise<readonly ResultRow[]> } => {
  const statistics: QueryStatistics = { recordsMatched: 0, recordsScanned: 0, bytesScanned: 0 };
  const run = async () => {
    const rows: ResultRow[] = [];
    const { stages, columns } = plan(query, limit, () => statistics.recordsMatched++);
    const last: Sink = {
      push(row) {
        rows.push(
          [...columns, '@ptr'].flatMap((name) => {
            const value = toText(row.get(name));
            return value === undefined ? [] : [{ field: name, value }];
          }),
        );
      },
      end: () => undefined,
    };
    const first = stages.reduceRight((next, stage) => stage(next), last);
    for await (const event of events) {
      signal?.throwIfAborted();
      if (event.timestamp < fromMs || event.timestamp >= toMs) {
        continue;
      }
      statistics.recordsScanned++;
      statistics.bytesScanned += event.message.length;
      const row = createEventRow(event);
      row.set('@ptr', statistics.recordsScanned);
      first.push(row);
    }
    first.end();
    return rows;
  };
  return { statistics, rows: run() };
};

/** The steps of a query, and the columns that it shows. */
const plan = (query: Query, limit: number, onMatch: () => void): { stages: Stage[]; columns: readonly string[] } => {
  const stages: Stage[] = [];
  let shown: readonly string[] = [];
  let order = newestFirst;
  let isCounted = false;
  const show = (names: readonly string[]) => {
    shown = [...new Set([...shown, ...names])];
  };
  /** A step that asks for more than one row: what gets there is a match. */
  const gather = (stage: Stage) => {
    stages.push(...(isCounted ? [] : [counting(onMatch)]), stage);
    isCounted = true;
  };
  const namesOf = (columns: readonly Column[]) => columns.map(({ name }) => name);

  for (const [index, command] of query.entries()) {
    switch (command.kind) {
      case 'fields':
        stages.push(computing(command));
        show(namesOf(command.columns));
        break;
      case 'display':
        shown = command.names;
        break;
      case 'filter':
        stages.push(filtering(command));
        break;
      case 'parse':
        stages.push(parsing(command));
        show(command.names);
        break;
      case 'stats':
        gather(grouping(command));
        shown = [...namesOf(command.groups), ...namesOf(command.columns)];
        order = command.groups.map(({ name }) => ({ name, expression: field(name), direction: 1 }));
        break;
      case 'sort':
        order = command.keys;
        break;
      case 'dedup': {
        const next = query[index + 1];
        const most = next?.kind === 'limit' ? next.count : next ? Number.POSITIVE_INFINITY : limit;
        gather(ordering(order, most, command.names));
        break;
      }
      case 'limit':
        gather(ordering(order, command.count));
        break;
    }
  }
  gather(ordering(order, limit));
  return { stages, columns: shown.length > 0 ? shown : ['@timestamp', '@message'] };
};

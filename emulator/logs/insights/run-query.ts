import type { Column, Expression, Query, SortKey } from './ast';
import { createEventRow, type LogEvent } from './row';
import { computing, counting, filtering, grouping, ordering, parsing, type QueryStep, type Sink } from './steps';
import { toText } from './values';

/** One row of a result: its fields in the order of the columns, without missing fields. */
export type ResultRow = readonly { readonly field: string; readonly value: string }[];

/** How much a query has read, and how many events passed its filters. */
export interface QueryStatistics {
  recordsMatched: number;
  recordsScanned: number;
  bytesScanned: number;
}

/** A period in Unix ms: start inclusive, end exclusive. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface RunOptions {
  /** Events outside the period are skipped. */
  readonly period?: Period;
  /** Maximum number of rows, even if the query allows more. Default: {@link maxRows}. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal;
}

/** CloudWatch's maximum number of rows. */
export const maxRows = 10_000;

const always: Period = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
const field = (name: string): Expression => ({ kind: 'field', name });
const newestFirst: readonly SortKey[] = [{ name: '@timestamp', expression: field('@timestamp'), direction: -1 }];

/**
 * Runs a query over events. It reads them once, in any order, and keeps in memory only what `sort`, `stats` and `dedup`
 * need, and no more rows than its limit.
 * @returns the rows, and the statistics, which change until the rows are there
 */
export const runQuery = (
  query: Query,
  events: AsyncIterable<LogEvent>,
  { period: { fromMs, toMs } = always, limit = maxRows, signal }: RunOptions = {},
): { readonly statistics: Readonly<QueryStatistics>; readonly rows: Promise<readonly ResultRow[]> } => {
  const statistics: QueryStatistics = { recordsMatched: 0, recordsScanned: 0, bytesScanned: 0 };
  const run = async () => {
    const rows: ResultRow[] = [];
    const { steps, columns } = plan(query, limit, () => statistics.recordsMatched++);
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
    const first = steps.reduceRight((next, step) => step(next), last);
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

/** Plans the steps of a query and the columns of its result. */
const plan = (
  query: Query,
  limit: number,
  onMatch: () => void,
): { readonly steps: QueryStep[]; readonly columns: readonly string[] } => {
  const steps: QueryStep[] = [];
  let shown: readonly string[] = [];
  let order = newestFirst;
  let isCounted = false;
  const show = (names: readonly string[]) => {
    shown = [...new Set([...shown, ...names])];
  };
  /** Adds a step that handles several rows together. The rows before the first such step are the matched records. */
  const gather = (step: QueryStep) => {
    steps.push(...(isCounted ? [] : [counting(onMatch)]), step);
    isCounted = true;
  };
  const namesOf = (columns: readonly Column[]) => columns.map(({ name }) => name);

  for (const [index, command] of query.entries()) {
    switch (command.kind) {
      case 'fields':
        steps.push(computing(command));
        show(namesOf(command.columns));
        break;
      case 'display':
        shown = command.names;
        break;
      case 'filter':
        steps.push(filtering(command));
        break;
      case 'parse':
        steps.push(parsing(command));
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
        const maxCount = next?.kind === 'limit' ? next.count : next ? Number.POSITIVE_INFINITY : limit;
        gather(ordering(order, maxCount, command.names));
        break;
      }
      case 'limit':
        gather(ordering(order, command.count));
        break;
    }
  }
  gather(ordering(order, limit));
  return { steps, columns: shown.length > 0 ? shown : ['@timestamp', '@message'] };
};

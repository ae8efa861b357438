import { type Accumulator, aggregates } from './aggregates';
import type { Column, Expression, QueryCommand, SortKey } from './ast';
import { compile } from './compile';
import { createRow, type Row } from './row';
import { compareForSort, isTrue, toNumber, toText, type Value } from './values';

/** Receives rows one by one, then the end. */
export interface Sink {
  push(row: Row): void;
  end(): void;
}

/** A step of a query: wraps the sink of the next step. */
export type QueryStep = (next: Sink) => Sink;

type CommandOf<Kind extends QueryCommand['kind']> = Extract<QueryCommand, { readonly kind: Kind }>;

/** Creates a step that handles each row separately. */
const each =
  (work: (row: Row, pass: (row: Row) => void) => void): QueryStep =>
  (next) => ({ push: (row) => work(row, next.push), end: next.end });

/** Computes the columns that are not plain fields. */
export const computing = ({ columns }: CommandOf<'fields'>): QueryStep => {
  const computed = columns
    .filter(({ name, expression }) => expression.kind !== 'field' || expression.name !== name)
    .map(({ name, expression }) => ({ name, evaluate: compile(expression) }));
  return each((row, pass) => {
    for (const { name, evaluate } of computed) {
      row.set(name, evaluate(row));
    }
    pass(row);
  });
};

export const filtering = ({ condition }: CommandOf<'filter'>): QueryStep => {
  const holds = compile(condition);
  return each((row, pass) => {
    if (isTrue(holds(row))) {
      pass(row);
    }
  });
};

export const parsing = ({ text, pattern, names }: CommandOf<'parse'>): QueryStep => {
  const evaluate = compile(text);
  return each((row, pass) => {
    const match = pattern.exec(toText(evaluate(row)) ?? '');
    names.forEach((name, index) => {
      row.set(name, match?.[index + 1]);
    });
    for (const [name, value] of Object.entries(match?.groups ?? {})) {
      row.set(name, value);
    }
    pass(row);
  });
};

export const counting = (add: () => void): QueryStep =>
  each((row, pass) => {
    add();
    pass(row);
  });

/** Number of rows kept beyond the limit before the last are dropped; half the limit if that is more. */
const spareRows = 5_000;

/**
 * Sorts rows and passes on the first `maxCount`. Of rows with equal values in all fields of `distinct`, only the first is
 * passed on; a row that lacks one of these fields is always distinct. Holds hardly more than `maxCount` rows.
 */
export const ordering = (keys: readonly SortKey[], maxCount: number, distinct: readonly string[] = []): QueryStep => {
  const order = keys.map(({ name, expression, direction }) => ({ name, evaluate: compile(expression), direction }));
  return (next) => {
    let held: { readonly row: Row; readonly keys: readonly Value[] }[] = [];
    let maxHeld = spareRows;
    const sortAndCut = () => {
      held.sort((a, b) => {
        for (const [index, { direction }] of order.entries()) {
          const compared = compareForSort(a.keys[index], b.keys[index], direction);
          if (compared !== 0) {
            return compared;
          }
        }
        return 0;
      });
      if (distinct.length > 0) {
        const seen = new Set<string>();
        held = held.filter(({ row }) => {
          const values = distinct.map((name) => toText(row.get(name)));
          const identity = JSON.stringify(values);
          const isNew = values.includes(undefined) || !seen.has(identity);
          seen.add(identity);
          return isNew;
        });
      }
      held.splice(maxCount);
      maxHeld = held.length + Math.max(spareRows, held.length / 2);
    };
    return {
      push(row) {
        // A column of `stats` is named by its source text, so the row already has the key's value.
        held.push({ row, keys: order.map(({ name, evaluate }) => row.get(name) ?? evaluate(row)) });
        if (held.length > maxHeld) {
          sortAndCut();
        }
      },
      end() {
        sortAndCut();
        for (const { row } of held) {
          next.push(row);
        }
        next.end();
      },
    };
  };
};

type Aggregate = Extract<Expression, { readonly kind: 'aggregate' }>;

/** Replaces each aggregate by a field, and adds the aggregate to `found`. */
const lift = (expression: Expression, found: Aggregate[]): Expression => {
  switch (expression.kind) {
    case 'aggregate':
      return { kind: 'field', name: `aggregate ${found.push(expression) - 1}` };
    case 'call':
      return { ...expression, arguments: expression.arguments.map((argument) => lift(argument, found)) };
    case 'match':
      return { ...expression, text: lift(expression.text, found) };
    default:
      return expression;
  }
};

/** Combines each group of rows to one row. */
export const grouping = ({ columns, groups }: CommandOf<'stats'>): QueryStep => {
  const found: Aggregate[] = [];
  const results = columns.map(({ name, expression }: Column) => ({ name, evaluate: compile(lift(expression, found)) }));
  const by = groups.map(({ name, expression }) => ({ name, evaluate: compile(expression) }));
  const sources = found.map(({ name, arguments: args }) => ({
    start: aggregates.get(name)?.[2],
    args: args.map(compile),
  }));
  return (next) => {
    const held = new Map<string, { readonly row: Row; readonly accumulators: readonly (Accumulator | undefined)[] }>();
    const groupOf = (values: readonly Value[]) => {
      const key = JSON.stringify(values);
      const known = held.get(key);
      if (known) {
        return known;
      }
      const row = createRow();
      by.forEach(({ name }, index) => {
        row.set(name, values[index]);
      });
      const group = { row, accumulators: sources.map(({ start }) => start?.()) };
      held.set(key, group);
      return group;
    };
    return {
      push(row) {
        const { accumulators } = groupOf(by.map(({ evaluate }) => evaluate(row)));
        const time = toNumber(row.get('@timestamp')) ?? 0;
        sources.forEach(({ args }, index) => {
          accumulators[index]?.add(
            args.map((evaluate) => evaluate(row)),
            time,
          );
        });
      },
      end() {
        for (const { row, accumulators } of held.values()) {
          accumulators.forEach((accumulator, index) => {
            row.set(`aggregate ${index}`, accumulator?.result());
          });
          for (const { name, evaluate } of results) {
            row.set(name, evaluate(row));
          }
          next.push(row);
        }
        next.end();
      },
    };
  };
};

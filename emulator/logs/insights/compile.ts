import type { Expression } from './ast';
import { functions } from './functions';
import type { Row } from './row';
import { toText, type Value } from './values';

/** Returns the value of an expression for a row. */
export type Evaluate = (row: Row) => Value;

/** Compiles an expression, to evaluate it for many rows. An aggregate has no value for a single row. */
export const compile = (expression: Expression): Evaluate => {
  switch (expression.kind) {
    case 'literal':
      return () => expression.value;
    case 'field':
      return (row) => row.get(expression.name);
    case 'match': {
      const text = compile(expression.text);
      return (row) => Number(expression.pattern.test(toText(text(row)) ?? ''));
    }
    case 'call': {
      const [, , apply] = functions.get(expression.name) ?? [];
      const args = expression.arguments.map(compile);
      return (row) => apply?.(...args.map((evaluate) => evaluate(row)));
    }
    case 'aggregate':
      return () => undefined;
  }
};

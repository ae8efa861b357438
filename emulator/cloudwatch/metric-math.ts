import { grammar, type Node } from 'ohm-js';

const mathGrammar = grammar(String.raw`
  MetricMath {
    Expression = Or
    Or       = Or ("||" | "OR") And                       -- or
             | And
    And      = And ("&&" | "AND") Compare                 -- and
             | Compare
    Compare  = Compare ("==" | "!=" | "<=" | ">=" | "<" | ">") Sum  -- compare
             | Sum
    Sum      = Sum ("+" | "-") Product                    -- sum
             | Product
    Product  = Product ("*" | "/") Power                  -- product
             | Power
    Power    = Unary "^" Power                            -- power
             | Unary
    Unary    = "-" Unary                                  -- minus
             | Primary
    Primary  = "(" Expression ")"                         -- group
             | "[" NonemptyListOf<Expression, ","> "]"    -- list
             | functionName "(" ListOf<Argument, ","> ")" -- call
             | id
             | number
    Argument = Expression | keyword | text
    functionName (a function) = upper (upper | digit | "_")*
    keyword (a keyword) = upper+
    id (the id of a metric) = lower (alnum | "_")*
    number (a number) = digit+ ("." digit+)?
    text (a text in quotes) = "'" (~"'" any)* "'" | "\"" (~"\"" any)* "\""
  }
`);

/** A value for each period. Undefined: the metric has no value there. */
export type Series = readonly (number | undefined)[];

/** What an expression, or a part of it, returns. */
type Value = number | Series | { readonly list: readonly Series[] };

/** What an expression reads. */
interface Environment {
  /** Ids of the metrics, without those of expressions. */
  readonly metricIds: readonly string[];
  series(id: string): Series;
  readonly length: number;
  readonly periodSeconds: number;
}
type Compute = (environment: Environment) => Value;

/** Thrown for an expression that cannot be evaluated. The message is one sentence. */
export class MetricMathError extends Error {}

/** A compiled expression. */
export interface Expression {
  /** The ids that it names. */
  readonly ids: readonly string[];
  /** Whether it reads all metrics: `METRICS()`. */
  readonly readsAll: boolean;
  evaluate(environment: Environment): Series;
}

/**
 * Compiles an expression of CloudWatch's metric math.
 * @throws {MetricMathError} for a syntax error, or a function that is not supported
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export const compileMetricMath = (text: string): Expression => {
  const match = mathGrammar.match(text);
  if (match.failed()) {
    throw new MetricMathError(`The embedded AWS cannot read the metric math "${text}": ${match.shortMessage}`);
  }
  const root = semantics(match);
  const compute: Compute = root.compile();
  return {
    ids: [...new Set<string>(root.ids())],
    readsAll: /\bMETRICS\s*\(/.test(text),
    evaluate(environment) {
      const value = compute(environment);
      if (isList(value)) {
        throw new MetricMathError(`The metric math "${text}" returns several time series, and only one can be used.`);
      }
      return typeof value === 'number' ? constant(value, environment) : value;
    },
  };
};

const isList = (value: Value): value is { readonly list: readonly Series[] } =>
  typeof value === 'object' && 'list' in value;

const constant = (value: number, { length }: Environment): Series => Array.from({ length }, () => finite(value));

/** A division by zero has no result. */
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** Applies an operator to each period. Where an operand has no value, there is no result. */
const each = (left: Value, right: Value, operate: (a: number, b: number) => number): Value => {
  if (isList(left)) return { list: left.list.map((one) => toSeries(each(one, right, operate))) };
  if (isList(right)) return { list: right.list.map((one) => toSeries(each(left, one, operate))) };
  const operateOn = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : finite(operate(a, b));
  if (typeof left !== 'number') return left.map((a, index) => operateOn(a, valueAt(right, index)));
  return typeof right === 'number' ? operate(left, right) : right.map((b) => operateOn(left, b));
};

const valueAt = (value: number | Series, index: number): number | undefined =>
  typeof value === 'number' ? value : value[index];

const toSeries = (value: Value): Series => {
  if (typeof value === 'number' || isList(value)) {
    throw new MetricMathError('A time series is expected in metric math where there is a number or a list.');
  }
  return value;
};

const truth = (value: boolean): number => (value ? 1 : 0);
const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '<=': (a, b) => truth(a <= b),
  '>': (a, b) => truth(a > b),
  '>=': (a, b) => truth(a >= b),
  '&&': (a, b) => truth(a !== 0 && b !== 0),
  AND: (a, b) => truth(a !== 0 && b !== 0),
  '||': (a, b) => truth(a !== 0 || b !== 0),
  OR: (a, b) => truth(a !== 0 || b !== 0),
};

const operation = (left: Node, operator: Node, right: Node): Compute => {
  const operate = operators[operator.sourceString];
  if (!operate) throw new MetricMathError(`The embedded AWS does not support ${operator.sourceString} in metric math.`);
  const [a, b]: [Compute, Compute] = [left.compile(), right.compile()];
  return (environment) => each(a(environment), b(environment), operate);
};

/** Combines values: those of a time series to one number, those of a list of them to one time series. */
const combine =
  (reduce: (values: readonly number[]) => number) =>
  ([argument]: readonly Compute[]): Compute =>
  (environment) => {
    const value = argument?.(environment) ?? { list: [] };
    const ofAll = (values: Series) => {
      const existing = values.filter((one) => one !== undefined);
      return existing.length === 0 ? undefined : reduce(existing);
    };
    if (typeof value === 'number') return value;
    if (!isList(value)) return ofAll(value) ?? constant(Number.NaN, environment);
    return Array.from({ length: environment.length }, (_, index) => ofAll(value.list.map((one) => one[index])));
  };

/** Applies a function to each value. */
const mapped =
  (apply: (value: number) => number) =>
  ([argument]: readonly Compute[]): Compute =>
  (environment) =>
    each(argument?.(environment) ?? 0, 0, apply);

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

interface SupportedFunction {
  readonly arity: readonly number[];
  /** @param words keywords and texts among the arguments */
  create(args: readonly Compute[], words: readonly string[]): Compute;
}

const functions: Readonly<Record<string, SupportedFunction>> = {
  SUM: { arity: [1], create: combine(sumOf) },
  AVG: { arity: [1], create: combine((values) => sumOf(values) / values.length) },
  MIN: { arity: [1], create: combine((values) => Math.min(...values)) },
  MAX: { arity: [1], create: combine((values) => Math.max(...values)) },
  ABS: { arity: [1], create: mapped(Math.abs) },
  CEIL: { arity: [1], create: mapped(Math.ceil) },
  FLOOR: { arity: [1], create: mapped(Math.floor) },
  PERIOD: {
    arity: [1],
    create:
      () =>
      ({ periodSeconds }) =>
        periodSeconds,
  },
  METRICS: {
    arity: [0, 1],
    create:
      (_args, [part = '']) =>
      ({ metricIds, series }) => ({
        list: metricIds.filter((id) => id.includes(part)).map(series),
      }),
  },
  IF: { arity: [2, 3], create: (args) => conditional(args) },
  FILL: { arity: [2], create: (args, words) => fill(args, words) },
};

const conditional =
  ([condition, yes, no]: readonly Compute[]): Compute =>
  (environment) => {
    const test = condition?.(environment) ?? 0;
    const values = [test, yes?.(environment) ?? 0, no?.(environment)] as const;
    const [, ifTrue, ifFalse] = values;
    if (isList(test) || isList(ifTrue) || (ifFalse !== undefined && isList(ifFalse))) {
      throw new MetricMathError('The embedded AWS does not support lists of time series in IF.');
    }
    if (typeof test === 'number') return (test === 0 ? ifFalse : ifTrue) ?? constant(Number.NaN, environment);
    return test.map((one, index) => {
      if (one === undefined) return undefined;
      const chosen = one === 0 ? ifFalse : ifTrue;
      return chosen === undefined ? undefined : valueAt(chosen, index);
    });
  };

const fill =
  ([series, filler]: readonly Compute[], [word]: readonly string[]): Compute =>
  (environment) => {
    const value = series?.(environment) ?? 0;
    const filling = filler?.(environment) ?? 0;
    const one = (values: Series): Series => {
      if (word === 'REPEAT') {
        let last: number | undefined;
        return values.map((each) => {
          last = each ?? last;
          return last;
        });
      }
      return values.map((each, index) => each ?? (isList(filling) ? undefined : valueAt(filling, index)));
    };
    if (typeof value === 'number') return value;
    return isList(value) ? { list: value.list.map(one) } : one(value);
  };

const call = (name: string, args: readonly Node[]): Compute => {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!found) throw new MetricMathError(`The embedded AWS does not support the function ${name} of metric math.`);
  const isWord = (argument: Node) => ['keyword', 'text'].includes(argument.children[0]?.ctorName ?? '');
  const words = args.filter(isWord).map(({ sourceString }) => sourceString.replace(/^['"]|['"]$/g, ''));
  const allowed = { FILL: ['REPEAT'], METRICS: words }[name] ?? [];
  const unknown = words.find((word) => !allowed.includes(word));
  if (unknown !== undefined) {
    throw new MetricMathError(`The embedded AWS does not support ${unknown} in ${name} of metric math.`);
  }
  if (!found.arity.includes(args.length)) {
    throw new MetricMathError(
      `${name} of metric math takes ${found.arity.join(' or ')} arguments, not ${args.length}.`,
    );
  }
  return found.create(
    args.filter((argument) => !isWord(argument)).map((argument): Compute => argument.compile()),
    words,
  );
};

const semantics = mathGrammar
  .createSemantics()
  .addOperation<Compute>('compile', {
    Or_or: operation,
    And_and: operation,
    Compare_compare: operation,
    Sum_sum: operation,
    Product_product: operation,
    Power_power: operation,
    Unary_minus: (_sign, operand) => {
      const compute: Compute = operand.compile();
      return (environment) => each(0, compute(environment), (a, b) => a - b);
    },
    Primary_group: (_open, expression, _close) => expression.compile(),
    Primary_list(_open, expressions, _close) {
      const members = expressions.asIteration().children.map((member): Compute => member.compile());
      return (environment) => ({
        list: members.flatMap((member) => {
          const value = member(environment);
          if (isList(value)) return value.list;
          return [typeof value === 'number' ? constant(value, environment) : value];
        }),
      });
    },
    Primary_call: (name, _open, args, _close) => call(name.sourceString, args.asIteration().children),
    id(_first, _rest) {
      const id = this.sourceString;
      return ({ series }) => series(id);
    },
    number(_whole, _point, _fraction) {
      const value = Number(this.sourceString);
      return () => value;
    },
  })
  .addOperation<string[]>('ids', {
    id(_first, _rest) {
      return [this.sourceString];
    },
    _terminal: () => [],
    _nonterminal: (...children) => children.flatMap((child): string[] => child.ids()),
    _iter: (...children) => children.flatMap((child): string[] => child.ids()),
  });

import { type ExpressionRequest, validateExpressions } from 'dynalite/validations';
import { ValidationFault } from './validation-fault';
import { add, compare, copyOf, type Item, isEqual, typeOf, type Value } from './values';

/** The values of a request by placeholder, such as `:round`. */
type Values = Readonly<Record<string, Value>>;
type Path = readonly (string | number)[];
type Operand = (item: Item, values: Values) => Value | undefined;
export type Condition = (item: Item, values: Values) => boolean;
/** Changes `draft`, the copy of an item that no other reference shares. */
type Section = (draft: Record<string, Value>, old: Item, values: Values) => void;

/** An update expression, ready to be applied. */
export interface CompiledUpdate {
  /** @returns the new item; the old one is not changed */
  readonly apply: (old: Item, values: Values) => Item;
  /** The attributes that it names, at their top level. */
  readonly attributes: readonly string[];
}

/** The trees of dynalite's parsers. A placeholder is the object that was passed for it. */
interface CallNode {
  readonly type: string;
  readonly name?: string;
  readonly args: readonly Node[];
}
type Node = Path | CallNode | object;
interface SectionNode {
  readonly type: 'set' | 'remove' | 'add' | 'delete';
  readonly path: Path;
  readonly val: Node;
}
interface ConditionTree {
  readonly expression: CallNode;
}
interface UpdateTree {
  readonly sections: readonly SectionNode[];
  readonly paths: readonly Path[];
}
type Placeholders = ReadonlyMap<object, string>;

const isPath = (node: Node): node is Path => Array.isArray(node);
const isCall = (node: Node): node is CallNode => 'args' in node;

const isMapValue = (value: Value | undefined): value is Item =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An element of a list or map. */
const childOf = (value: Value | undefined, step: string | number): Value | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== (typeof step === 'number')) return;
  return Object.hasOwn(value, step) ? (value as Record<string | number, Value>)[step] : undefined;
};

const valueAt = (item: Item, path: Path): Value | undefined => {
  let value: Value | undefined = item;
  for (const step of path) value = childOf(value, step);
  return value;
};

const operandOf = (node: Node, placeholders: Placeholders): Operand => {
  if (isPath(node)) return (item) => valueAt(item, node);
  const placeholder = placeholders.get(node);
  if (placeholder !== undefined) return (_item, values) => values[placeholder];
  if (!isCall(node)) throw new Error('The tables have no model of an operand');
  const [first, second] = node.args.map((arg) => operandOf(arg, placeholders));
  if (!first || !second) throw new Error(`The tables have no model of ${node.name ?? node.type}`);
  if (node.name === 'if_not_exists') {
    return (item, values) => {
      const value = first(item, values);
      // Not `??`: an attribute that is null exists.
      return value === undefined ? second(item, values) : value;
    };
  }
  throw new Error(`The tables have no model of ${node.name ?? node.type}`);
};

const existing = (value: Value | undefined): Value => {
  if (value !== undefined) return value;
  throw new ValidationFault('The provided expression refers to an attribute that does not exist in the item');
};

const ordered = (holds: (order: number) => boolean) => (a: Value | undefined, b: Value | undefined) => {
  const order = compare(a, b);
  return order !== undefined && holds(order);
};

/** What compares the first operand with each of the others. */
const comparisons: Readonly<Record<string, (first: Value | undefined, ...others: (Value | undefined)[]) => boolean>> = {
  '=': (a, b) => a !== undefined && isEqual(a, b),
  '<>': (a, b) => !(a !== undefined && isEqual(a, b)),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  in: (a, ...others) => a !== undefined && others.some((other) => isEqual(a, other)),
  attribute_exists: (a) => a !== undefined,
  attribute_not_exists: (a) => a === undefined,
};

const conditionOf = (node: Node, placeholders: Placeholders): Condition => {
  if (!isCall(node)) throw new Error('The tables have no model of a condition');
  const { type, name, args } = node;
  if (type === 'and' || type === 'or' || type === 'not') {
    const [first, second] = args.map((arg) => conditionOf(arg, placeholders));
    if (first && type === 'not') return (item, values) => !first(item, values);
    if (!first || !second) throw new Error(`${type} has too few operands`);
    if (type === 'and') return (item, values) => first(item, values) && second(item, values);
    return (item, values) => first(item, values) || second(item, values);
  }
  const compareOperands = comparisons[name ?? type];
  if (compareOperands === undefined) throw new Error(`The tables have no model of ${name ?? type}`);
  const operands = args.map((arg) => operandOf(arg, placeholders));
  const [first, second] = operands;
  if (first && second && operands.length === 2) {
    return (item, values) => compareOperands(first(item, values), second(item, values));
  }
  return (item, values) => {
    const [value, ...others] = operands.map((operand) => operand(item, values));
    return compareOperands(value, ...others);
  };
};

/** Copies the maps on the way to the last step of a path, which an update may then change. */
const parentIn = (draft: Record<string, Value>, path: Path): Record<string, Value> => {
  let parent = draft;
  for (const step of path.slice(0, -1)) {
    const child = childOf(parent, step);
    if (!isMapValue(child)) {
      throw new ValidationFault('The document path provided in the update expression is invalid for update');
    }
    const copy: Record<string, Value> = { ...child };
    parent[step] = copy;
    parent = copy;
  }
  return parent;
};

const sectionOf = ({ type, path, val }: SectionNode, placeholders: Placeholders): Section => {
  const last = path.at(-1);
  if (typeof last !== 'string') throw new Error('The tables have no model of an update of a list');
  if (type === 'remove') {
    return (draft) => {
      delete parentIn(draft, path)[last];
    };
  }
  const operand = operandOf(val, placeholders);
  if (type === 'set') {
    return (draft, old, values) => {
      parentIn(draft, path)[last] = copyOf(existing(operand(old, values)));
    };
  }
  if (type === 'delete') throw new Error('The tables have no model of sets');
  return (draft, old, values) => {
    const parent = parentIn(draft, path);
    const before = valueAt(old, path);
    parent[last] = add(before === undefined ? 0 : before, existing(operand(old, values)));
  };
};

/** The expressions of a request with their names and values, as DynamoDB takes them. */
export interface Expressions {
  readonly ConditionExpression?: string | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>> | undefined;
}

/** The expressions of a request, ready to be evaluated. */
export interface Compiled {
  readonly condition?: Condition;
  readonly keyCondition?: Condition;
  readonly filter?: Condition;
  /** Attribute → placeholder of the value that the key condition requires. */
  readonly requiredKeys: ReadonlyMap<string, string>;
  readonly update?: CompiledUpdate;
}

/** dynalite's checks depend on the type of a value only, for the expressions that are modelled. */
const samples = { S: 'a', N: '1', BOOL: true, NULL: true, L: [], M: {} } as const;

const requirementsOf = (node: Node, placeholders: Placeholders): (readonly [string, string])[] => {
  if (!isCall(node)) return [];
  if (node.type === 'and') return node.args.flatMap((arg) => requirementsOf(arg, placeholders));
  const [path, value] = node.args;
  const placeholder = value && placeholders.get(value);
  return node.type === '=' && path && isPath(path) && placeholder ? [[String(path[0]), placeholder]] : [];
};

const compileOnce = (expressions: Expressions, values: Values): Compiled => {
  const typed = Object.entries(values).map(([name, value]) => {
    const type = typeOf(value);
    return [name, { [type]: samples[type] }] as const;
  });
  const request: ExpressionRequest = { ...expressions };
  if (expressions.ExpressionAttributeValues) request.ExpressionAttributeValues = Object.fromEntries(typed);
  const fault = validateExpressions(request);
  if (fault) throw new ValidationFault(fault);
  const placeholders: Placeholders = new Map(typed.map(([name, value]) => [value, name]));
  const condition = request._condition as ConditionTree | undefined;
  const keyCondition = request._keyCondition as ConditionTree | undefined;
  const filter = request._filter as ConditionTree | undefined;
  const updates = request._updates as UpdateTree | undefined;
  return {
    ...(condition && { condition: conditionOf(condition.expression, placeholders) }),
    ...(keyCondition && { keyCondition: conditionOf(keyCondition.expression, placeholders) }),
    ...(filter && { filter: conditionOf(filter.expression, placeholders) }),
    requiredKeys: new Map(keyCondition ? requirementsOf(keyCondition.expression, placeholders) : []),
    ...(updates && { update: updateOf(updates, placeholders) }),
  };
};

const updateOf = ({ sections, paths }: UpdateTree, placeholders: Placeholders): CompiledUpdate => {
  const steps = sections.map((section) => sectionOf(section, placeholders));
  return {
    apply: (old, values) => {
      const draft = { ...old };
      for (const step of steps) step(draft, old, values);
      return draft;
    },
    attributes: paths.map(([first]) => String(first)),
  };
};

/**
 * Compiles expressions once for each text, set of names and types of values. dynalite's parsers check them.
 *
 * @throws {ValidationFault} as DynamoDB refuses the expressions
 */
export const createCompiler = () => {
  const known = new Map<string, Compiled>();
  return (expressions: Expressions, values: Values): Compiled => {
    const { UpdateExpression, ConditionExpression, KeyConditionExpression, FilterExpression } = expressions;
    let key = `${UpdateExpression}|${ConditionExpression}|${KeyConditionExpression}|${FilterExpression}`;
    const names = expressions.ExpressionAttributeNames;
    for (const name in names) key += `|${name}=${names[name]}`;
    for (const name in values) key += `|${name}:${typeOf(values[name] ?? null)}`;
    let compiled = known.get(key);
    if (compiled === undefined) {
      compiled = compileOnce(expressions, values);
      known.set(key, compiled);
    }
    return compiled;
  };
};

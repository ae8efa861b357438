import type { Interval, Node } from 'ohm-js';
import { aggregates } from './aggregates';
import type { Column, Expression, Query, QueryCommand, SortKey } from './ast';
import { functions } from './functions';
import { insightsGrammar } from './grammar';
import { readDurationMs, readGlob, readPattern, unquote } from './literals';
import { faultAt, QuerySyntaxError } from './syntax-error';
import { insightsFunctions, unsupported, unsupportedCommandAt } from './unsupported';
import type { Value } from './values';

/**
 * Parses a query.
 * @throws {QuerySyntaxError} for invalid or unsupported syntax
 */
export const parseQuery = (text: string): Query => {
  const match = insightsGrammar.match(text);
  if (match.failed()) {
    const { startIdx, endIdx } = match.getInterval();
    const command = unsupportedCommandAt(text, startIdx);
    if (command !== undefined) {
      throw new QuerySyntaxError(unsupported(`The command ${command}`), startIdx, endIdx);
    }
    throw new QuerySyntaxError(match.message, startIdx, endIdx);
  }
  return semantics(match).query();
};

const literal = (value: Value): Expression => ({ kind: 'literal', value });
const call = (name: string, ...args: readonly Expression[]): Expression => ({ kind: 'call', name, arguments: args });

/** Creates a call of a function or an aggregate, and checks its name and the number of its arguments. */
const callOf = (name: string, args: readonly Expression[], where: Interval): Expression => {
  if (name === 'bin') {
    return callOf('datefloor', [{ kind: 'field', name: '@timestamp' }, ...args], where);
  }
  const aggregate = aggregates.get(name);
  const known = aggregate ?? functions.get(name);
  if (!known) {
    const isInsights = insightsFunctions.has(name);
    throw faultAt(where, isInsights ? unsupported(`The function ${name}`) : `There is no function ${name}`);
  }
  const [least, most] = known;
  if (args.length < least || args.length > most) {
    throw faultAt(where, `${name} does not take ${args.length} argument${args.length === 1 ? '' : 's'}`);
  }
  return { kind: aggregate ? 'aggregate' : 'call', name, arguments: args };
};

const aggregatesIn = (expression: Expression): boolean =>
  expression.kind === 'aggregate' ||
  (expression.kind === 'call' && expression.arguments.some(aggregatesIn)) ||
  (expression.kind === 'match' && aggregatesIn(expression.text));

/** The elements of a list, without the commas. */
const listed = (list: Node): Node[] => list.asIteration().children;
const optional = (node: Node): Node | undefined => node.children[0];

const expressionOf = (node: Node): Expression => node.expression();
const nameOf = (node: Node): string => node.sourceString.replaceAll('`', '');
/** A column without an alias is named by its source text. */
const writtenName = (node: Node): string => nameOf(node).trim().replaceAll(/\s+/g, ' ');

const rowExpressionOf = (node: Node): Expression => {
  const expression = expressionOf(node);
  if (aggregatesIn(expression)) {
    throw faultAt(node.source, 'Aggregates are allowed only in stats');
  }
  return expression;
};
const aggregateOf = (node: Node): Expression => {
  const expression = expressionOf(node);
  if (!aggregatesIn(expression)) {
    throw faultAt(node.source, 'stats needs an aggregate, such as count()');
  }
  return expression;
};
const columnsOf = (list: Node, read: (expression: Node) => Expression): Column[] =>
  listed(list).map((column) => {
    const [expression, , alias] = column.children;
    if (!expression || !alias) {
      throw new Error(`No column: ${column.sourceString}`);
    }
    const named = optional(alias);
    return { name: named ? nameOf(named) : writtenName(expression), expression: read(expression) };
  });

const patternOf = (node: Node): RegExp => {
  const pattern = readPattern(node.sourceString);
  if (!pattern) {
    throw faultAt(node.source, 'This is not a valid regular expression');
  }
  return pattern;
};

const binary = (left: Node, operator: Node, right: Node): Expression =>
  call(operator.sourceString.toLowerCase(), expressionOf(left), expressionOf(right));
const unless = (not: Node, expression: Expression): Expression =>
  optional(not) ? call('not', expression) : expression;

const semantics = insightsGrammar
  .createSemantics()
  .addOperation<Query>('query', {
    Query: (_pipe, commands) => listed(commands).map((command): QueryCommand => command.command()),
  })
  .addOperation<QueryCommand>('command', {
    Command_fields: (_, columns) => ({ kind: 'fields', columns: columnsOf(columns, rowExpressionOf) }),
    Command_display: (_, names) => ({ kind: 'display', names: listed(names).map(nameOf) }),
    Command_filter: (_, condition) => ({ kind: 'filter', condition: rowExpressionOf(condition) }),
    Command_parse: (_, text, pattern, _as, names) => ({
      kind: 'parse',
      text: rowExpressionOf(text),
      pattern: pattern.ctorName === 'regex' ? patternOf(pattern) : readGlob(unquote(pattern.sourceString)),
      names: names.children.flatMap((list) => listed(list).map(nameOf)),
    }),
    Command_stats: (_, columns, _by, groups) => ({
      kind: 'stats',
      columns: columnsOf(columns, aggregateOf),
      groups: groups.children.flatMap((list) => columnsOf(list, rowExpressionOf)),
    }),
    Command_sort: (_, keys) => ({ kind: 'sort', keys: listed(keys).map((key): SortKey => key.sortKey()) }),
    Command_dedup: (_, names) => ({ kind: 'dedup', names: listed(names).map(nameOf) }),
    Command_limit: (_, count) => ({ kind: 'limit', count: Number(count.sourceString) }),
  })
  .addOperation<SortKey>('sortKey', {
    SortKey: (expression, direction) => ({
      name: writtenName(expression),
      expression: expressionOf(expression),
      direction: direction.sourceString.toLowerCase() === 'desc' ? -1 : 1,
    }),
  })
  .addOperation<Expression>('expression', {
    Expression_or: binary,
    And_and: binary,
    Negation_not: (_, negated) => call('not', expressionOf(negated)),
    Comparison_like: (text, not, _, pattern) =>
      unless(
        not,
        pattern.ctorName === 'regex'
          ? { kind: 'match', text: expressionOf(text), pattern: patternOf(pattern) }
          : call('strcontains', expressionOf(text), expressionOf(pattern)),
      ),
    Comparison_in: (value, not, _in, _open, list, _close) =>
      unless(not, call('in', expressionOf(value), ...listed(list).map(expressionOf))),
    Comparison_matches: (text, _, pattern) => ({
      kind: 'match',
      text: expressionOf(text),
      pattern: patternOf(pattern),
    }),
    Comparison_compare: binary,
    Sum_binary: binary,
    Product_binary: binary,
    Power_binary: binary,
    Sign_minus: (_, operand) => call('-', literal(0), expressionOf(operand)),
    Term_group: (_open, inner, _close) => expressionOf(inner),
    Term_call(name, _open, args, _close) {
      const given = listed(args).filter((argument) => argument.sourceString !== '*');
      return callOf(name.sourceString.toLowerCase(), given.map(expressionOf), this.source);
    },
    duration(_count, _unit) {
      const ms = readDurationMs(this.sourceString);
      if (ms === undefined) {
        throw faultAt(this.source, 'This is not a duration such as 30s, 5m, 1h or 1d');
      }
      return literal(ms);
    },
    number(_whole, _point, _fraction) {
      return literal(Number(this.sourceString));
    },
    text(_open, _characters, _close) {
      return literal(unquote(this.sourceString));
    },
    truth: (word) => literal(word.sourceString.toLowerCase() === 'true' ? 1 : 0),
    field: (name) => ({ kind: 'field', name: nameOf(name) }),
  });

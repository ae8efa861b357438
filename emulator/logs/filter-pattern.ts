import { grammar, type Node } from 'ohm-js';
import { ServiceError } from '../json-service';

const patternGrammar = grammar(String.raw`
  FilterPattern {
    Pattern   = "{" Either "}"                                      -- json
              | Term*                                               -- terms
    Term      = "-" Text                                            -- excluded
              | "?" Text                                            -- optional
              | Text                                                -- required
    Text      = quoted | regex | word

    Either    = Either "||" Both                                    -- or
              | Both
    Both      = Both "&&" Condition                                 -- and
              | Condition
    Condition = "(" Either ")"                                      -- group
              | selector "NOT" "EXISTS"                             -- missing
              | selector "EXISTS"                                   -- exists
              | selector "IS" ("NULL" | "TRUE" | "FALSE")           -- is
              | selector comparator (quoted | regex | value)        -- compare

    comparator (a comparison) = "!=" | "<=" | ">=" | "=" | "<" | ">"
    selector (a selector such as $.level) = "$" step+
    step      = "." (letter | "_" | "@") (alnum | "_" | "-" | "@")*  -- name
              | "[" digit+ "]"                                       -- index
              | "['" (~"']" any)+ "']"                               -- quoted
    quoted (a text in quotes) = "\"" (escaped | ~"\"" any)* "\""
    escaped   = "\\" any
    regex (a regular expression between percent signs) = "%" (~"%" any)+ "%"
    word (a term) = ~("[" | "{") (~(space | "\"") any)+
    value (a value) = (~(space | "&" | "|" | "(" | ")" | "}" | "\"") any)+
  }
`);

/** An event to match. JSON patterns match only JSON events. */
interface Subject {
  readonly message: string;
  readonly json: object | undefined;
}
type Test = (event: Subject) => boolean;

/**
 * Compiles a filter pattern of CloudWatch Logs, for unstructured or JSON events. Patterns with columns (`[w1, w2]`) are
 * not supported.
 * @returns a function that tests the message of an event
 * @throws {ServiceError} for an invalid pattern
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export const compileFilterPattern = (pattern: string): ((message: string) => boolean) => {
  const match = patternGrammar.match(pattern);
  if (match.failed()) {
    const place = `The embedded AWS cannot read this filter pattern: ${match.shortMessage}`;
    throw new ServiceError('InvalidParameterException', place);
  }
  const test: Test = semantics(match).test();
  const isJson = pattern.trimStart().startsWith('{');
  return (message) => test({ message, json: isJson ? readObject(message) : undefined });
};

const testsOf = (terms: readonly Node[], kind: string): Test[] =>
  terms.filter(({ children: [term] }) => term?.ctorName === kind).map((term) => term.test());

const semantics = patternGrammar.createSemantics().addOperation<Test>('test', {
  Pattern_json: (_open, condition, _close) => {
    const test: Test = condition.test();
    return (event) => event.json !== undefined && test(event);
  },
  Pattern_terms({ children: terms }) {
    const required = testsOf(terms, 'Term_required');
    const excluded = testsOf(terms, 'Term_excluded');
    const optional = testsOf(terms, 'Term_optional');
    return (event) =>
      required.every((test) => test(event)) &&
      !excluded.some((test) => test(event)) &&
      // Optional terms have no effect if there are required terms.
      (required.length > 0 || optional.length === 0 || optional.some((test) => test(event)));
  },
  Term_excluded: (_sign, text) => text.test(),
  Term_optional: (_sign, text) => text.test(),
  Text(text) {
    const fits = text.ctorName === 'regex' ? regexTest(text) : undefined;
    const term = unquote(text.sourceString);
    return ({ message }) => (fits ? fits(message) : message.includes(term));
  },
  Either_or(left, _or, right) {
    const [one, other]: Test[] = [left.test(), right.test()];
    return (event) => Boolean(one?.(event) || other?.(event));
  },
  Both_and(left, _and, right) {
    const [one, other]: Test[] = [left.test(), right.test()];
    return (event) => Boolean(one?.(event) && other?.(event));
  },
  Condition_group: (_open, condition, _close) => condition.test(),
  Condition_missing: (selector, _not, _exists) => at(selector, (value) => value === undefined),
  Condition_exists: (selector, _exists) => at(selector, (value) => value !== undefined),
  Condition_is(selector, _is, { sourceString: word }) {
    const wanted = word === 'NULL' ? null : word === 'TRUE';
    return at(selector, (value) => value === wanted);
  },
  Condition_compare: (selector, comparator, literal) => at(selector, comparison(comparator.sourceString, literal)),
});

/** Applies `test` to the value that a selector finds. */
const at = (selector: Node, test: (value: unknown) => boolean): Test => {
  const steps = [...selector.sourceString.matchAll(/\.([\w@-]+)|\[(\d+)\]|\['([^']+)'\]/g)].map(
    ([, name, index, quoted]) => name ?? index ?? quoted ?? '',
  );
  return ({ json }) =>
    test(
      steps.reduce<unknown>(
        (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
        json,
      ),
    );
};

/** Compiles a comparison. A missing field never matches. In a text, `*` matches any characters. */
const comparison = (comparator: string, literal: Node): ((value: unknown) => boolean) => {
  const text = unquote(literal.sourceString);
  const number = literal.ctorName === 'value' && text !== '' ? Number(text) : Number.NaN;
  const fits = literal.ctorName === 'regex' ? regexTest(literal) : wildcardTest(text);
  const equals = (value: unknown) =>
    typeof value === 'number' && !Number.isNaN(number) ? value === number : fits(String(value));
  const comparable = (value: unknown) => typeof value === 'string' || typeof value === 'number';
  switch (comparator) {
    case '=':
      return (value) => comparable(value) && equals(value);
    case '!=':
      return (value) => comparable(value) && !equals(value);
    case '<':
      return (value) => typeof value === 'number' && value < number;
    case '<=':
      return (value) => typeof value === 'number' && value <= number;
    case '>':
      return (value) => typeof value === 'number' && value > number;
    default:
      return (value) => typeof value === 'number' && value >= number;
  }
};

const wildcardTest = (text: string): ((value: string) => boolean) => {
  const parts = text.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 's');
  return (value) => pattern.test(value);
};

const regexTest = ({ sourceString }: Node): ((value: string) => boolean) => {
  try {
    const pattern = new RegExp(sourceString.slice(1, -1));
    return (value) => pattern.test(value);
  } catch {
    throw new ServiceError('InvalidParameterException', `${sourceString} is not a valid regular expression.`);
  }
};

const unquote = (text: string): string => (text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text);

const readObject = (text: string): object | undefined => {
  try {
    const value: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

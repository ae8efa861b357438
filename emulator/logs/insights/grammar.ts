import { grammar } from 'ohm-js';

/** The query syntax of CloudWatch Logs Insights: the commands that find, transform and count events. */
export const insightsGrammar = grammar(String.raw`
  Insights {
    Query = "|"? NonemptyListOf<Command, "|">

    Command
      = fields NonemptyListOf<Column, ",">                                     -- fields
      | display NonemptyListOf<field, ",">                                     -- display
      | filter Expression                                                      -- filter
      | parse Term (regex | text) (as NonemptyListOf<field, ",">)?             -- parse
      | stats NonemptyListOf<Column, ","> (by NonemptyListOf<Column, ",">)?    -- stats
      | sort NonemptyListOf<SortKey, ",">                                      -- sort
      | dedup NonemptyListOf<field, ",">                                       -- dedup
      | limit number                                                           -- limit

    Column = Expression (as field)?
    SortKey = Expression (asc | desc)?

    Expression = Expression or And                      -- or
               | And
    And        = And and Negation                       -- and
               | Negation
    Negation   = not Negation                           -- not
               | Comparison
    Comparison = Sum not? like (regex | text)           -- like
               | Sum not? in "[" ListOf<Sum, ","> "]"   -- in
               | Sum "=~" regex                         -- matches
               | Sum comparator Sum                     -- compare
               | Sum
    Sum        = Sum ("+" | "-") Product                -- binary
               | Product
    Product    = Product ("*" | "/" | "%") Power        -- binary
               | Power
    Power      = Sign "^" Power                         -- binary
               | Sign
    Sign       = "-" Sign                               -- minus
               | Term
    Term       = "(" Expression ")"                     -- group
               | name "(" ListOf<Argument, ","> ")"     -- call
               | duration
               | number
               | text
               | truth
               | field
    Argument   = "*"                                    -- all
               | Expression

    comparator (a comparison) = "!=" | "<=" | ">=" | "=" | "<" | ">"

    field (a field) = ~keyword fieldStart fieldPart*      -- plain
                    | "\u{60}" (~"\u{60}" any)+ "\u{60}"  -- quoted
    fieldStart = letter | "_" | "@"
    fieldPart = alnum | "_" | "@" | "."
    name (a function) = ~keyword letter (alnum | "_")*

    number (a number) = digit+ ("." digit+)?
    duration (a duration such as 5m) = digit+ letter+
    text (a text in quotes) = "\"" (escaped | ~"\"" any)* "\""
                            | "'" (escaped | ~"'" any)* "'"
    regex (a regular expression between slashes) = "/" (escaped | ~"/" any)+ "/"
    escaped = "\\" any
    truth (true or false) = caseInsensitive<"true"> ~fieldPart | caseInsensitive<"false"> ~fieldPart

    fields (fields) = caseInsensitive<"fields"> ~fieldPart
    display (display) = caseInsensitive<"display"> ~fieldPart
    filter (filter) = caseInsensitive<"filter"> ~fieldPart
    parse (parse) = caseInsensitive<"parse"> ~fieldPart
    stats (stats) = caseInsensitive<"stats"> ~fieldPart
    sort (sort) = caseInsensitive<"sort"> ~fieldPart
    dedup (dedup) = caseInsensitive<"dedup"> ~fieldPart
    limit (limit) = caseInsensitive<"limit"> ~fieldPart | caseInsensitive<"head"> ~fieldPart
    by (by) = caseInsensitive<"by"> ~fieldPart
    as (as) = caseInsensitive<"as"> ~fieldPart
    asc (asc) = caseInsensitive<"asc"> ~fieldPart
    desc (desc) = caseInsensitive<"desc"> ~fieldPart
    or (or) = caseInsensitive<"or"> ~fieldPart
    and (and) = caseInsensitive<"and"> ~fieldPart
    not (not) = caseInsensitive<"not"> ~fieldPart
    like (like) = caseInsensitive<"like"> ~fieldPart
    in (in) = caseInsensitive<"in"> ~fieldPart
    keyword = by | as | asc | desc | or | and | not | like | in | truth

    space += "#" (~"\n" any)*  -- comment
  }
`);

import { autocompletion, type Completion, type CompletionSource } from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { tags } from '@lezer/highlight';
import type { InferResponseType } from 'hono/client';
import type { api } from '../../api';

type Vocabulary = InferResponseType<typeof api.logs.saved.$get>['vocabulary'];

const operators = new Set(['as', 'by', 'and', 'or', 'not', 'like', 'in', 'asc', 'desc']);

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: tags.function(tags.variableName), color: 'var(--warning)' },
  { tag: [tags.string, tags.regexp], color: 'var(--good)' },
  { tag: tags.number, color: 'var(--bad)' },
  { tag: tags.comment, color: 'var(--text-quiet)' },
]);

const tokenOf = (stream: StringStream, commands: ReadonlySet<string>): string | null => {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return 'comment';
  if (stream.match(/^"(?:[^"\\]|\\.)*"?|^'(?:[^'\\]|\\.)*'?/)) return 'string';
  if (stream.match(/^\/(?:[^/\\]|\\.)+\//)) return 'regexp';
  if (stream.match(/^\d+(?:\.\d+)?[a-z]*/)) return 'number';
  const word = stream.match(/^[@A-Za-z_][\w@.]*/);
  if (!Array.isArray(word)) {
    stream.next();
    return null;
  }
  const text = String(word[0]);
  if (commands.has(text) || operators.has(text)) return 'keyword';
  return stream.peek() === '(' ? 'variableName.function' : 'variableName';
};

/** The syntax of CloudWatch Logs Insights for the editor: colours, and completion of commands, functions and fields. */
export const insightsLanguage = ({ commands, functions, fields }: Vocabulary): Extension => {
  const known = new Set(commands);
  const words: readonly Completion[] = [
    ...fields.map((label) => ({ label, type: 'property', boost: 1 })),
    ...commands.map((label) => ({ label, type: 'keyword' })),
    ...functions.map((label) => ({ label, type: 'function', apply: `${label}(` })),
  ];
  const complete: CompletionSource = (context) => {
    const word = context.matchBefore(/[@\w.]+/);
    if (word === null && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: [...words], validFor: /^[@\w.]*$/ };
  };
  return [
    StreamLanguage.define({ token: (stream) => tokenOf(stream, known) }),
    syntaxHighlighting(colours),
    autocompletion({ override: [complete], icons: false }),
  ];
};

import * as fc from 'fast-check';
import { deepNesting, hostileTexts } from './hostile-values';

/** A JSON document by its text. Unlike a value, it can have numbers beyond a double's range, and duplicate keys. */
type Json =
  | { readonly raw: string }
  | { readonly list: readonly Json[] }
  | { readonly fields: readonly (readonly [key: string, value: Json])[] };

const toJson = (value: unknown): Json => {
  if (Array.isArray(value)) return { list: value.map(toJson) };
  if (typeof value !== 'object' || value === null) return { raw: JSON.stringify(value) ?? 'null' };
  return { fields: Object.entries(value).map(([key, entry]) => [key, toJson(entry)] as const) };
};

const toText = (json: Json): string => {
  if ('raw' in json) return json.raw;
  if ('list' in json) return `[${json.list.map(toText).join(',')}]`;
  return `{${json.fields.map(([key, value]) => `${JSON.stringify(key)}:${toText(value)}`).join(',')}}`;
};

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

const rawValues = [
  ...['null', 'true', '0', '-0', '-1', '1e999', '-1e999', '1E400', '1e-400', '9007199254740993', '0.1', '1e21'],
  ...[
    '123456789012345678901234',
    '12.50',
    '2134',
    '2134.0',
    '20260105',
    '1770091506.0',
    '1.770091506E9',
    '99999999999',
  ],
  ...['[]', '{}', '[[]]', '[null]', '[{}]', '{"":{}}', '""'],
  ...['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"length":1e9}'],
  ...['{"then":true,"toJSON":1,"toString":1,"valueOf":null}', '"\\ud800"', '"\\u0000"', '"\\udfff\\ud800"'],
  ...[deepNesting(10), deepNesting(2_000)],
];

const hostileValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: hostileText.map((text) => ({ raw: JSON.stringify(text) })) },
  { weight: 3, arbitrary: fc.constantFrom(...rawValues).map((raw) => ({ raw })) },
  { weight: 1, arbitrary: fc.double().map((value) => ({ raw: JSON.stringify(value) ?? 'null' })) },
);

const hostileKey = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'length', 'uuid', 'data', 'next', 'errors', ''),
  hostileText,
);

/** One change of a document: the operation, the index of the node, and the operand. */
interface Edit {
  readonly at: number;
  readonly how: 'replace' | 'remove' | 'add' | 'twice' | 'rename' | 'wrap' | 'repeat';
  readonly key: string;
  readonly value: Json;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(200),
  how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'twice', 'rename', 'wrap', 'repeat'),
  key: hostileKey,
  value: hostileValue,
});

const countNodes = (json: Json): number => {
  if ('raw' in json) return 1;
  const children = 'list' in json ? json.list : json.fields.map(([, value]) => value);
  return children.reduce((sum, child) => sum + countNodes(child), 1);
};

/** The replacement of an entry of a list or an object. */
const entryAfter = <Entry>(entry: Entry, edited: Entry | undefined, { how }: Edit): readonly Entry[] => {
  if (edited === undefined) return [];
  return how === 'twice' ? [entry, edited] : how === 'repeat' ? Array<Entry>(40).fill(edited) : [edited];
};

const change = (json: Json, { how, key, value }: Edit): Json | undefined => {
  if (how === 'remove') return undefined;
  if (how === 'wrap') return { list: [json] };
  if (how === 'add' && 'fields' in json) return { fields: [...json.fields, [key, value]] };
  if (how === 'add' && 'list' in json) return { list: [...json.list, value] };
  if (how === 'repeat') return json;
  return value;
};

/** Applies an edit to the node with its index. Nodes are numbered in the sequence of the text. */
const applyEdit = (document: Json, edit: Edit): Json => {
  let left = edit.at % countNodes(document);
  const visit = (json: Json): { readonly json: Json | undefined; readonly here: boolean } => {
    if (left-- === 0) return { json: change(json, edit), here: true };
    if ('raw' in json) return { json, here: false };
    if ('list' in json) {
      const list = json.list.flatMap((entry) => {
        const { json: edited, here } = visit(entry);
        return here ? entryAfter(entry, edited, edit) : edited === undefined ? [] : [edited];
      });
      return { json: { list }, here: false };
    }
    const fields = json.fields.flatMap(([name, entry]) => {
      const { json: edited, here } = visit(entry);
      const kept = edited === undefined ? undefined : ([name, edited] as const);
      if (!here) return kept === undefined ? [] : [kept];
      if (edit.how === 'rename') return [[edit.key, entry] as const];
      return entryAfter([name, entry] as const, kept, edit);
    });
    return { json: { fields }, here: false };
  };
  return visit(document).json ?? { raw: 'null' };
};

/** The JSON text of a document after one to three unexpected changes. */
export const hostileJson = (documents: readonly unknown[]): fc.Arbitrary<string> => {
  const known = documents.map(toJson);
  return fc
    .tuple(fc.nat(known.length - 1), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([index, edits]) => toText(edits.reduce(applyEdit, known[index] ?? { raw: 'null' })));
};

/** A value in a document: the JSON text before it, and after it. */
export interface Gap {
  /** Example: `data.0.job`. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const placeholder = 'the gap';

/** A gap for each list and map within a document. */
export const gapsIn = (document: unknown): readonly Gap[] => {
  const gaps = (parent: unknown, path: readonly string[]): readonly Gap[] =>
    Object.entries(Object(parent)).flatMap(([key, child]) => {
      if (typeof child !== 'object' || child === null) return [];
      const text = JSON.stringify(document, (_key, value) => (value === child ? placeholder : value));
      const [before = '', after = ''] = text.split(JSON.stringify(placeholder));
      const here = [...path, key];
      return [{ path: here.join('.'), before, after }, ...gaps(child, here)];
    });
  return gaps(document, []);
};

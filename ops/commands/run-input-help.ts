import * as z from 'zod';
import schema from '../../docs/api/run-input.schema.json';
import { wrapText } from './terminal';

interface Key {
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, Key>> | undefined;
}

const keySchema: z.ZodType<Key> = z.lazy(() =>
  z.object({
    description: z.string().optional(),
    default: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), keySchema).optional(),
  }),
);

const width = 80;

const factsOf = (key: Key): string => {
  const facts = [
    ...(key.enum ? [key.enum.join(' | ')] : []),
    ...(key.default === undefined ? [] : [`default ${JSON.stringify(key.default)}`]),
  ];
  return facts.length === 0 ? '' : ` (${facts.join('; ')})`;
};

const describeKeys = (keys: Readonly<Record<string, Key>>, indent: string): string[] =>
  Object.entries(keys).flatMap(([name, key]) => [
    `${indent}${name}${factsOf(key)}`,
    ...wrapText(key.description ?? '', width - indent.length - 4).map((line) => `${indent}    ${line}`),
    ...describeKeys(key.properties ?? {}, `${indent}  `),
  ]);

/** Every key of a run's input with its default and meaning, from its JSON Schema, in 80 columns. */
export const describeRunInput = (): string =>
  ['The keys of the input, a JSON object. Every one is optional:', '']
    .concat(describeKeys(keySchema.parse(schema).properties ?? {}, '  '))
    .join('\n');

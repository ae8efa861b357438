import * as z from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of what a zod schema accepts, to be embedded in a document.
 *
 * A `refine` or a `transform` has no counterpart in JSON Schema: say in a description what it demands.
 */
export const toJsonSchema = (schema: z.core.$ZodType): JsonSchema => {
  const { $schema, ...embedded } = z.toJSONSchema(schema, { io: 'input' });
  return embedded;
};

/** The JSON Schema of an object, with further keywords for some of its properties. */
export const withProperties = (schema: JsonSchema, keywords: Readonly<Record<string, JsonSchema>>): JsonSchema => {
  const properties = new Map(Object.entries(z.record(z.string(), z.looseObject({})).parse(schema.properties)));
  for (const [name, added] of Object.entries(keywords)) {
    const property = properties.get(name);
    if (property === undefined) throw new Error(`The schema has no property "${name}"`);
    properties.set(name, { ...property, ...added });
  }
  return { ...schema, properties: Object.fromEntries(properties) };
};

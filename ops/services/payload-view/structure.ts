/** A value of a document without its content, which may be personal data. */
export interface StructureNode {
  /** Such as `order.properties.0.state`; empty for the whole document. */
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly type: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  /** Characters of a string, items of an array, keys of an object; undefined for other types. */
  readonly length: number | undefined;
}

/** A larger document is cut. */
const maxNodes = 5_000;

const typeOf = (value: unknown): StructureNode['type'] => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
};

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const lengthOf = (value: unknown): number | undefined => {
  if (typeof value === 'string') return value.length;
  return isContainer(value) ? Object.keys(value).length : undefined;
};

/** Lists the values of a parsed JSON document in their order, without their content; at most 5,000. */
export const structureOf = (document: unknown): StructureNode[] => {
  const nodes: StructureNode[] = [];
  const visit = (value: unknown, path: string, name: string, depth: number): void => {
    if (nodes.length >= maxNodes) return;
    nodes.push({ path, name, depth, type: typeOf(value), length: lengthOf(value) });
    if (!isContainer(value)) return;
    for (const [key, inner] of Object.entries(value))
      visit(inner, path === '' ? key : `${path}.${key}`, key, depth + 1);
  };
  visit(document, '', '', 0);
  return nodes;
};

/**
 * The value at a path of {@link StructureNode}.
 *
 * @returns undefined if there is none, or if it contains others
 */
export const valueAt = (document: unknown, path: string): string | number | boolean | null | undefined => {
  const walk = (value: unknown, keys: readonly string[]): unknown => {
    if (keys.length === 0) return value;
    if (!isContainer(value)) return undefined;
    // A key can contain a dot.
    for (let count = 1; count <= keys.length; count++) {
      const key = keys.slice(0, count).join('.');
      const inner: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
      const found = inner === undefined ? undefined : walk(inner, keys.slice(count));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const value = walk(document, path.split('.'));
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
    ? (value as string | number | boolean | null)
    : undefined;
};

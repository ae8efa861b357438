import { type StructureNode, structureOf, valueAt } from './structure';

/** A field that differs between two documents. Its values are not shown. */
export interface FieldChange {
  /** Such as `order.properties.0.state`. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: Pick<StructureNode, 'type' | 'length'> | undefined;
  readonly after: Pick<StructureNode, 'type' | 'length'> | undefined;
}

const fieldsOf = (document: unknown): Map<string, StructureNode> =>
  new Map(
    structureOf(document)
      .filter(({ path, type, length }) => path !== '' && ((type !== 'object' && type !== 'array') || length === 0))
      .map((node) => [node.path, node]),
  );

const shapeOf = (node: StructureNode | undefined): FieldChange['before'] =>
  node && { type: node.type, length: node.length };

/** Lists the fields that differ between two parsed JSON documents, without their values. */
export const changesBetween = (before: unknown, after: unknown): FieldChange[] => {
  const [old, current] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...old.keys(), ...current.keys()])].sort().flatMap((path): FieldChange[] => {
    const [from, to] = [old.get(path), current.get(path)];
    if (from && to && from.type === to.type && valueAt(before, path) === valueAt(after, path)) return [];
    const change = from === undefined ? 'added' : to === undefined ? 'removed' : 'changed';
    return [{ path, change, before: shapeOf(from), after: shapeOf(to) }];
  });
};

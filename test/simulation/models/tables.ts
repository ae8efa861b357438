import {
  ConditionalCheckFailedException,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import type {
  BatchGetCommandInput,
  GetCommandInput,
  QueryCommandInput,
  ScanCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { SimulatedWorld } from '../world';
import { clientOf, metadata } from './client';
import { createCompiler, type Expressions } from './expressions';
import { ValidationFault } from './validation-fault';
import { compare, copyOfItem, type Item, type Value } from './values';

/** A key: the partition key, and the sort key if there is one. All key attributes are strings. */
export type KeyLayout = readonly [partition: string, sort?: string];

export interface TableLayout {
  readonly key: KeyLayout;
  /** Sparse indexes by name. They project all attributes. */
  readonly indexes?: Readonly<Record<string, KeyLayout>>;
}

export interface TablesOptions {
  /** By name. */
  readonly tables: Readonly<Record<string, TableLayout>>;
  /** The age up to which an eventually consistent read may return an overwritten version of an item. Default: 0. */
  readonly maxLagMs?: number;
  /** The share of calls that DynamoDB throttles, and of the keys that a batch leaves out. Default: 0. */
  readonly throttledShare?: number;
  /** The number of items in a page of a query or scan, in place of 1 MB. Default: unlimited. */
  readonly pageSize?: number;
}

/** A state of an item. The older ones are kept as long as a read may return them. */
interface Version {
  readonly item: Item | undefined;
  readonly sinceMs: number;
  older: Version | undefined;
}

interface StoredTable {
  readonly layout: TableLayout;
  /** By key. An entry may have no current item: it was deleted, or did not exist. */
  readonly records: Map<string, Version>;
  /** For each partition of a table with a sort key or of an index: the keys of the items that are or were in it. */
  readonly partitions: Map<string, Set<string>>;
}

/** @param index undefined for the table itself */
const partitionOf = (index: string | undefined, value: Value): string => `${index ?? ''}\n${value}`;

const keyText = (layout: KeyLayout, item: Item): string =>
  layout[1] === undefined ? String(item[layout[0]]) : `${item[layout[0]]}\n${item[layout[1]]}`;

const isWholeKey = ([partition, sort]: KeyLayout, key: Item): boolean => {
  const names = Object.keys(key);
  return names.length === (sort === undefined ? 1 : 2) && partition in key && (sort === undefined || sort in key);
};

/** @throws {ValidationFault} if it is not a key of the table */
const checkKey = (layout: KeyLayout, key: Item): void => {
  if (!isWholeKey(layout, key)) throw new ValidationFault('The provided key element does not match the schema');
  for (const value of Object.values(key)) {
    if (typeof value !== 'string') throw new ValidationFault('The provided key element does not match the schema');
    if (value === '') throw new ValidationFault('One or more parameter values are not valid: a key is empty');
  }
};

const compareBy =
  (...names: readonly (string | undefined)[]) =>
  (a: Item, b: Item): number => {
    for (const name of names) {
      const order = name === undefined ? 0 : (compare(a[name], b[name]) ?? 0);
      if (order !== 0) return order;
    }
    return 0;
  };

/**
 * DynamoDB, for the document client. It takes each choice that DynamoDB makes by itself (which version an eventually
 * consistent read returns, what it throttles) from the seed.
 */
export const createTables = (world: SimulatedWorld, options: TablesOptions) => {
  const { maxLagMs = 0, throttledShare = 0, pageSize = Number.POSITIVE_INFINITY } = options;
  const compile = createCompiler();
  const stored = new Map<string, StoredTable>(
    Object.entries(options.tables).map(([name, layout]) => [
      name,
      { layout, records: new Map(), partitions: new Map() },
    ]),
  );

  const isThrottled = (): boolean => throttledShare > 0 && world.random() < throttledShare;

  const tableOf = (name: string | undefined): StoredTable => {
    const table = stored.get(name ?? '');
    if (table === undefined) {
      throw new ResourceNotFoundException({
        message: 'Cannot do operations on a non-existent table',
        ...metadata(400),
      });
    }
    if (isThrottled()) {
      throw new ProvisionedThroughputExceededException({ message: 'The throughput was exceeded', ...metadata(400) });
    }
    return table;
  };

  const valuesOf = ({ ExpressionAttributeValues: values }: Expressions): Item => (values ? copyOfItem(values) : {});

  /** Forgets the versions that no read may return any more. */
  const prune = (version: Version): void => {
    for (let one: Version | undefined = version; one !== undefined; one = one.older) {
      if (one.sinceMs <= world.now() - maxLagMs) one.older = undefined;
    }
  };

  const readVersion = (version: Version | undefined, isConsistent: boolean | undefined): Item | undefined => {
    if (version?.older === undefined || isConsistent) return version?.item;
    prune(version);
    let read = version;
    while (read.older !== undefined && world.random() < 0.5) read = read.older;
    return read.item;
  };

  const addTo = ({ partitions }: StoredTable, partition: string, key: string): void => {
    const keys = partitions.get(partition);
    if (keys) keys.add(key);
    else partitions.set(partition, new Set([key]));
  };

  const write = (table: StoredTable, key: string, item: Item): void => {
    const { records, layout } = table;
    const older = records.get(key) ?? { item: undefined, sinceMs: Number.NEGATIVE_INFINITY, older: undefined };
    const version = { item, sinceMs: world.now(), older: maxLagMs > 0 ? older : undefined };
    if (maxLagMs > 0) prune(version);
    records.set(key, version);
    if (layout.key[1] !== undefined) addTo(table, partitionOf(undefined, item[layout.key[0]] ?? null), key);
    for (const index in layout.indexes) {
      const value = item[layout.indexes[index]?.[0] ?? ''];
      if (value !== undefined) addTo(table, partitionOf(index, value), key);
    }
  };

  const get = (table: StoredTable, key: Readonly<Record<string, unknown>>, isConsistent?: boolean) => {
    const copy = copyOfItem(key);
    checkKey(table.layout.key, copy);
    const item = readVersion(table.records.get(keyText(table.layout.key, copy)), isConsistent);
    return item && copyOfItem(item);
  };

  /** The items of a table or of an index, in an order of their own. */
  const pageOf = (
    { layout }: StoredTable,
    items: Item[],
    sortedBy: readonly (string | undefined)[],
    { Limit, ExclusiveStartKey, ScanIndexForward }: QueryCommandInput,
    isReturned: (item: Item) => boolean = () => true,
  ) => {
    const names = [...new Set([...sortedBy, ...layout.key])].filter((name) => name !== undefined);
    const inOrder = compareBy(...names);
    const direction = ScanIndexForward === false ? -1 : 1;
    const start = ExclusiveStartKey && copyOfItem(ExclusiveStartKey);
    const rest = items
      .sort((a, b) => direction * inOrder(a, b))
      .filter((item) => start === undefined || direction * inOrder(item, start) > 0);
    const size = Math.min(Limit ?? pageSize, pageSize);
    const page = rest.slice(0, size);
    const last = page.at(-1);
    const isFull = last !== undefined && page.length >= size;
    const returned = page.filter(isReturned);
    return {
      Items: returned.map(copyOfItem),
      Count: returned.length,
      ScannedCount: page.length,
      ...(isFull && { LastEvaluatedKey: Object.fromEntries(names.map((name) => [name, last[name]])) }),
    };
  };

  const itemsOf = (
    { records }: StoredTable,
    keys: Iterable<string>,
    isConsistent: boolean | undefined,
    wanted: (item: Item) => boolean,
  ) => {
    const items: Item[] = [];
    for (const key of keys) {
      const item = readVersion(records.get(key), isConsistent);
      if (item !== undefined && wanted(item)) items.push(item);
    }
    return items;
  };

  const client = clientOf({
    GetCommand: ({ TableName, Key = {}, ConsistentRead }: GetCommandInput) => {
      const Item = get(tableOf(TableName), Key, ConsistentRead);
      return Item ? { Item } : {};
    },

    BatchGetCommand: ({ RequestItems = {} }: BatchGetCommandInput) => {
      const responses: Record<string, Item[]> = {};
      const unprocessed: Record<string, { Keys: Record<string, unknown>[]; ConsistentRead?: boolean }> = {};
      for (const [name, { Keys = [], ConsistentRead }] of Object.entries(RequestItems)) {
        const table = tableOf(name);
        const found: Item[] = [];
        responses[name] = found;
        if (Keys.length > 100) throw new ValidationFault('Too many items requested for the BatchGetItem call');
        const texts = Keys.map((key) => keyText(table.layout.key, copyOfItem(key)));
        if (new Set(texts).size < texts.length)
          throw new ValidationFault('Provided list of item keys contains duplicates');
        const left = Keys.filter((key) => {
          if (isThrottled()) return true;
          const item = get(table, key, ConsistentRead);
          if (item) found.push(item);
          return false;
        });
        if (left.length > 0) unprocessed[name] = { Keys: left, ...(ConsistentRead && { ConsistentRead }) };
      }
      return { Responses: responses, UnprocessedKeys: unprocessed };
    },

    UpdateCommand: (input: UpdateCommandInput) => {
      const table = tableOf(input.TableName);
      const { key: layout, indexes = {} } = table.layout;
      const values = valuesOf(input);
      const { condition, update } = compile(input, values);
      const key = copyOfItem(input.Key ?? {});
      checkKey(layout, key);
      for (const name of update?.attributes ?? []) {
        if (layout.includes(name)) throw new ValidationFault(`Cannot update attribute ${name}. It is part of the key`);
      }
      const text = keyText(layout, key);
      const before = table.records.get(text)?.item;
      if (condition && !condition(before ?? {}, values)) {
        throw new ConditionalCheckFailedException({ message: 'The conditional request failed', ...metadata(400) });
      }
      // An update of an item that does not exist sees no attribute, not even the key.
      const changed = update ? update.apply(before ?? {}, values) : (before ?? {});
      const after: Item = { ...changed, ...key };
      for (const name of Object.values(indexes).flat()) {
        if (name !== undefined && after[name] !== undefined && typeof after[name] !== 'string') {
          throw new ValidationFault('The update expression attempted to update a key of an index to unsupported type');
        }
      }
      write(table, text, after);
      return attributesOf(input.ReturnValues, before, after, update?.attributes ?? []);
    },

    QueryCommand: (input: QueryCommandInput) => {
      const table = tableOf(input.TableName);
      const layout = input.IndexName === undefined ? table.layout.key : table.layout.indexes?.[input.IndexName];
      if (layout === undefined)
        throw new ValidationFault(`The table does not have the specified index: ${input.IndexName}`);
      if (input.IndexName !== undefined && input.ConsistentRead) {
        throw new ValidationFault('Consistent reads are not supported on global secondary indexes');
      }
      const values = valuesOf(input);
      const { keyCondition, requiredKeys } = compile(input, values);
      const value = values[requiredKeys.get(layout[0]) ?? ''];
      if (keyCondition === undefined || value === undefined) throw new ValidationFault('A query needs a partition key');
      const [, sort] = layout;
      const isIn = (item: Item) => sort === undefined || item[sort] !== undefined;
      const keys =
        input.IndexName === undefined && sort === undefined
          ? [String(value)]
          : (table.partitions.get(partitionOf(input.IndexName, value)) ?? []);
      const wanted = (item: Item) => isIn(item) && keyCondition(item, values);
      const items = itemsOf(table, keys, input.ConsistentRead, wanted);
      return pageOf(table, items, layout, input);
    },

    ScanCommand: (input: ScanCommandInput) => {
      const table = tableOf(input.TableName);
      const values = valuesOf(input);
      const { filter = () => true } = compile(input, values);
      return pageOf(
        table,
        itemsOf(table, table.records.keys(), input.ConsistentRead, () => true),
        [],
        { ...input, ScanIndexForward: true },
        (item) => filter(item, values),
      );
    },
  });

  return {
    client,

    /** The items of a table, as a consistent read returns them. */
    *items(name: string): Generator<Item> {
      for (const { item } of stored.get(name)?.records.values() ?? []) if (item !== undefined) yield item;
    },

    /** @param key the values of the table's key attributes */
    item: (name: string, ...key: readonly string[]): Item | undefined =>
      stored.get(name)?.records.get(key.join('\n'))?.item,

    /** Writes an item, as an older release left it. */
    put: (name: string, item: Readonly<Record<string, unknown>>): void => {
      const table = stored.get(name);
      if (table === undefined) throw new Error(`There is no table ${name}`);
      const copy = copyOfItem(item);
      write(table, keyText(table.layout.key, copy), copy);
    },
  };
};

const attributesOf = (
  returned: UpdateCommandInput['ReturnValues'],
  before: Item | undefined,
  after: Item,
  updated: readonly string[],
): { readonly Attributes?: Record<string, Value> } => {
  switch (returned) {
    case undefined:
    case 'NONE':
      return {};
    case 'ALL_OLD':
      return before === undefined ? {} : { Attributes: copyOfItem(before) };
    case 'ALL_NEW':
      return { Attributes: copyOfItem(after) };
    case 'UPDATED_OLD': {
      const names = updated.filter((name) => before?.[name] !== undefined);
      if (names.length === 0) return {};
      return { Attributes: copyOfItem(Object.fromEntries(names.map((name) => [name, before?.[name]]))) };
    }
    default:
      throw new Error(`The tables have no model of ReturnValues ${returned}`);
  }
};

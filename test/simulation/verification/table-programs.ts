import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  paginateScan,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { failedOrdersIndex } from '../../../shared/orders/failed-orders-index';
import { type Outcome, outcomeOf } from './outcome';

/** Attributes of the index, attributes of several types, and a map. */
const fields = ['failed_shard', 'failed_at', 'state', 'total', 'counters'] as const;
type Field = (typeof fields)[number];

type Action =
  | { readonly kind: 'set' | 'default'; readonly value: unknown }
  | { readonly kind: 'copy'; readonly from: Field }
  | { readonly kind: 'nested'; readonly value: unknown }
  | { readonly kind: 'add'; readonly amount: number }
  | { readonly kind: 'remove' };

type Condition =
  | { readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>='; readonly field: Field; readonly value: unknown }
  | { readonly operator: 'nested'; readonly value: unknown }
  | { readonly operator: 'in'; readonly field: Field; readonly values: readonly unknown[] }
  | { readonly operator: 'attribute_exists' | 'attribute_not_exists'; readonly field: Field | 'order_id' }
  | { readonly operator: 'AND' | 'OR'; readonly both: readonly [Condition, Condition] }
  | { readonly operator: 'NOT'; readonly condition: Condition };

type Returned = 'NONE' | 'UPDATED_OLD' | 'ALL_OLD' | 'ALL_NEW';

/** A call of DynamoDB. */
export type TableStep =
  | { readonly call: 'get'; readonly id: string; readonly isConsistent: boolean }
  | { readonly call: 'getMany'; readonly ids: readonly string[] }
  | {
      readonly call: 'update';
      readonly id: string;
      readonly actions: Readonly<Partial<Record<Field, Action>>>;
      readonly condition: Condition | undefined;
      readonly returned: Returned;
    }
  | { readonly call: 'failed'; readonly shard: string; readonly since: string; readonly isNewestFirst: boolean }
  | { readonly call: 'scan'; readonly field: Field; readonly values: readonly unknown[] }
  | { readonly call: 'note'; readonly id: string }
  | { readonly call: 'notes' };

const id = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('0', '1', 'é', '\u{1F600}', '\u{FF5E}');
const number = fc.integer({ min: -3, max: 12 });
/** `IN` has no other values: dynalite does not find `false` in a list. */
const ordered = fc.oneof(text, number);
/**
 * `<` and the like have no other values: dynalite compares texts in conditions by their UTF-16 code units, DynamoDB by
 * their UTF-8 bytes.
 */
const comparable = fc.oneof(fc.constantFrom('0', '1', 'é'), number);
/** Conditions have no other values: dynalite cannot compare maps and lists. */
const scalar = fc.oneof(ordered, fc.boolean(), fc.constant(null));
const value = fc.oneof(scalar, fc.constant({ a: 1, b: [1, 'x'] }));
const field = fc.constantFrom(...fields);

const actionOf = (name: Field): fc.Arbitrary<Action> => {
  const remove = fc.constant({ kind: 'remove' } as const);
  const kind = fc.constantFrom('set', 'default');
  if (name === 'failed_shard' || name === 'failed_at') return fc.oneof(fc.record({ kind, value: text }), remove);
  const copy = fc.record({ kind: fc.constant('copy' as const), from: field });
  if (name === 'state') return fc.oneof(fc.record({ kind, value }), copy, remove);
  if (name === 'total') {
    const add = fc.record({ kind: fc.constant('add' as const), amount: number });
    return fc.oneof(fc.record({ kind, value: number }), add, remove);
  }
  const nested = fc.record({ kind: fc.constant('nested' as const), value });
  return fc.oneof(fc.record({ kind, value: fc.constantFrom({}, { a: 1 }) }), nested, remove);
};

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ operator: fc.constantFrom('<', '<=', '>', '>='), field, value: comparable }),
  fc.record({ operator: fc.constantFrom('=', '<>'), field, value: scalar }),
  fc.record({ operator: fc.constant('nested' as const), value: scalar }),
  fc.record({ operator: fc.constant('in' as const), field, values: fc.array(ordered, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    operator: fc.constantFrom('attribute_exists', 'attribute_not_exists'),
    field: fc.constantFrom(...fields, 'order_id'),
  }),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 2, arbitrary: leaf },
  fc.record({ operator: fc.constantFrom('AND', 'OR'), both: fc.tuple(leaf, leaf) }),
  fc.record({ operator: fc.constant('NOT' as const), condition: leaf }),
);

/**
 * Whether an update copies an attribute that it also changes in place. dynalite copies the new value; in DynamoDB every
 * expression sees the old item.
 */
const copiesChanged = (actions: Readonly<Partial<Record<string, Action>>>): boolean =>
  Object.values(actions).some(
    (action) => action?.kind === 'copy' && ['add', 'nested'].includes(actions[action.from]?.kind ?? ''),
  );

const update = fc.record({
  call: fc.constant('update' as const),
  id,
  actions: fc
    .record(Object.fromEntries(fields.map((name) => [name, actionOf(name)])), { requiredKeys: [] })
    .filter((actions) => Object.keys(actions).length > 0 && !copiesChanged(actions)),
  condition: fc.option(condition, { nil: undefined }),
  returned: fc.constantFrom('NONE', 'UPDATED_OLD', 'ALL_OLD', 'ALL_NEW'),
});

/** Programs of calls of DynamoDB on a few items. */
export const tablePrograms: fc.Arbitrary<readonly TableStep[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: update },
    fc.record({ call: fc.constant('get' as const), id, isConsistent: fc.boolean() }),
    fc.record({ call: fc.constant('getMany' as const), ids: fc.uniqueArray(id, { minLength: 1 }) }),
    fc.record({ call: fc.constant('failed' as const), shard: text, since: text, isNewestFirst: fc.boolean() }),
    fc.record({
      call: fc.constant('scan' as const),
      field,
      values: fc.array(ordered, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ call: fc.constant('note' as const), id }),
    fc.constant({ call: 'notes' as const }),
  ),
  { minLength: 5, maxLength: 20 },
);

/** Collects the placeholders of a request. */
const createPlaceholders = () => {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const nameOf = (name: string): string => {
    names[`#${name}`] = name;
    return `#${name}`;
  };
  const placeholderOf = (one: unknown): string => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = one;
    return placeholder;
  };
  return { names, values, nameOf, placeholderOf };
};
type Placeholders = ReturnType<typeof createPlaceholders>;

const conditionText = (one: Condition, placeholders: Placeholders): string => {
  const { nameOf, placeholderOf } = placeholders;
  switch (one.operator) {
    case 'AND':
    case 'OR':
      return one.both.map((part) => `(${conditionText(part, placeholders)})`).join(` ${one.operator} `);
    case 'NOT':
      return `NOT (${conditionText(one.condition, placeholders)})`;
    case 'in':
      return `${nameOf(one.field)} IN (${one.values.map(placeholderOf).join(', ')})`;
    case 'nested':
      return `${nameOf('counters')}.${nameOf('a')} = ${placeholderOf(one.value)}`;
    case 'attribute_exists':
    case 'attribute_not_exists':
      return `${one.operator}(${nameOf(one.field)})`;
    default:
      return `${nameOf(one.field)} ${one.operator} ${placeholderOf(one.value)}`;
  }
};

const updateText = (actions: Readonly<Partial<Record<string, Action>>>, placeholders: Placeholders): string => {
  const { nameOf, placeholderOf } = placeholders;
  const sections = { SET: [] as string[], REMOVE: [] as string[], ADD: [] as string[] };
  for (const [name, action] of Object.entries(actions)) {
    if (action === undefined) continue;
    const attribute = nameOf(name);
    if (action.kind === 'set') sections.SET.push(`${attribute} = ${placeholderOf(action.value)}`);
    if (action.kind === 'default')
      sections.SET.push(`${attribute} = if_not_exists(${attribute}, ${placeholderOf(action.value)})`);
    if (action.kind === 'copy') sections.SET.push(`${attribute} = ${nameOf(action.from)}`);
    if (action.kind === 'nested') sections.SET.push(`${attribute}.${nameOf('a')} = ${placeholderOf(action.value)}`);
    if (action.kind === 'add') sections.ADD.push(`${attribute} ${placeholderOf(action.amount)}`);
    if (action.kind === 'remove') sections.REMOVE.push(attribute);
  }
  return Object.entries(sections)
    .filter(([, parts]) => parts.length > 0)
    .map(([section, parts]) => `${section} ${parts.join(', ')}`)
    .join(' ');
};

export interface ProgramTables {
  readonly client: DynamoDBDocumentClient;
  readonly ordersTable: string;
  readonly operationsTable: string;
  /** Distinguishes the items of this program from those of others. */
  readonly prefix: string;
}

/**
 * Runs a program. Unspecified are the order of a batch, and whether a response without attributes has an empty map of
 * them.
 */
export const runTableProgram = async (
  { client, ordersTable, operationsTable, prefix }: ProgramTables,
  steps: readonly TableStep[],
): Promise<Outcome[]> => {
  const keyOf = (one: string) => ({ order_id: prefix + one });

  const runUpdate = ({ id: one, actions, condition: only, returned }: Extract<TableStep, { call: 'update' }>) => {
    const placeholders = createPlaceholders();
    const shard = actions.failed_shard;
    const isShardSet = shard !== undefined && 'value' in shard;
    const scoped = isShardSet ? { ...actions, failed_shard: { ...shard, value: `${prefix}${shard.value}` } } : actions;
    const UpdateExpression = updateText(scoped, placeholders);
    const ConditionExpression = only && conditionText(only, placeholders);
    const isNested = actions.counters?.kind === 'nested';
    const command = new UpdateCommand({
      TableName: ordersTable,
      Key: keyOf(one),
      UpdateExpression,
      ...(ConditionExpression && { ConditionExpression }),
      ExpressionAttributeNames: placeholders.names,
      ...(Object.keys(placeholders.values).length > 0 && { ExpressionAttributeValues: placeholders.values }),
      // The model has no old values of an element of a map.
      ReturnValues: isNested && returned === 'UPDATED_OLD' ? 'ALL_NEW' : returned,
    });
    return outcomeOf(client.send(command), ({ Attributes = {} }) => ({ Attributes }));
  };

  const runStep = (step: TableStep): Promise<Outcome> => {
    switch (step.call) {
      case 'update':
        return runUpdate(step);
      case 'get': {
        const request = { TableName: ordersTable, Key: keyOf(step.id), ConsistentRead: step.isConsistent };
        return outcomeOf(client.send(new GetCommand(request)), ({ Item }) => ({ Item }));
      }
      case 'getMany': {
        const RequestItems = { [ordersTable]: { Keys: step.ids.map(keyOf) } };
        return outcomeOf(client.send(new BatchGetCommand({ RequestItems })), ({ Responses, UnprocessedKeys }) => ({
          items: Responses?.[ordersTable]?.toSorted((a, b) => (String(a.order_id) < String(b.order_id) ? -1 : 1)),
          UnprocessedKeys,
        }));
      }
      case 'failed': {
        const query = new QueryCommand({
          TableName: ordersTable,
          IndexName: failedOrdersIndex.name,
          KeyConditionExpression: 'failed_shard = :shard AND failed_at >= :since',
          ExpressionAttributeValues: { ':shard': `${prefix}${step.shard}`, ':since': step.since },
          ScanIndexForward: !step.isNewestFirst,
        });
        // Items with the same sort key have no order.
        return outcomeOf(client.send(query), ({ Items = [], LastEvaluatedKey }) => ({
          times: Items.map(({ failed_at }) => failed_at),
          items: Items.toSorted((a, b) => (String(a.order_id) < String(b.order_id) ? -1 : 1)),
          LastEvaluatedKey,
        }));
      }
      case 'scan': {
        const placeholders = createPlaceholders();
        const filter: Condition = { operator: 'in', field: step.field, values: step.values };
        const items: Record<string, unknown>[] = [];
        const readAll = async () => {
          const request = {
            TableName: ordersTable,
            FilterExpression: conditionText(filter, placeholders),
            ExpressionAttributeNames: placeholders.names,
            ExpressionAttributeValues: placeholders.values,
          };
          for await (const { Items = [] } of paginateScan({ client }, request)) items.push(...Items);
        };
        // Other programs use the same table.
        return outcomeOf(readAll(), () => ({
          items: items
            .filter(({ order_id }) => String(order_id).startsWith(prefix))
            .toSorted((a, b) => (String(a.order_id) < String(b.order_id) ? -1 : 1)),
        }));
      }
      case 'note': {
        const command = new UpdateCommand({
          TableName: operationsTable,
          Key: { kind: prefix, id: step.id },
          UpdateExpression: 'ADD #count :one',
          ExpressionAttributeNames: { '#count': 'count' },
          ExpressionAttributeValues: { ':one': 1 },
        });
        return outcomeOf(client.send(command), ({ Attributes = {} }) => ({ Attributes }));
      }
      case 'notes': {
        const query = new QueryCommand({
          TableName: operationsTable,
          KeyConditionExpression: 'kind = :kind',
          ExpressionAttributeValues: { ':kind': prefix },
          ConsistentRead: true,
        });
        return outcomeOf(client.send(query), ({ Items, LastEvaluatedKey }) => ({ Items, LastEvaluatedKey }));
      }
    }
  };

  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push(await runStep(step));
  return outcomes;
};

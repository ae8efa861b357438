import {
  describeFailure,
  renderDiff,
  tally,
  toDiffDocument,
  warningLines,
} from '../../../../ops/commands/mapping-view';
import type { MappingComparison } from '../../../../ops/services/mapping';
import type { OrderId } from '../../../../shared/orders/order';

const since = new Date('2026-01-01T00:00:00Z');
const about = { stageLabel: 'prod', stageCommand: 'pipeline --stage prod', since, isComplete: true };

type Comparison = MappingComparison extends infer V ? (V extends unknown ? Omit<V, 'orderId'> : never) : never;

const count = (...comparisons: readonly (readonly [string, Comparison])[]) => {
  const counts = tally();
  for (const [orderId, comparison] of comparisons)
    counts.add({ orderId: orderId as OrderId, ...comparison } as MappingComparison);
  return counts;
};

const changed = (...fields: string[]): Comparison => ({ kind: 'changed', fields });

test('counts orders by field, and names what cannot be mapped', () => {
  const counts = count(
    ['QO-1', changed('price', 'dueDate')],
    ['QO-2', changed('price')],
    ['QO-3', changed()],
    ['QO-4', { kind: 'mappable_now' }],
    ['QO-5', { kind: 'same' }],
    ['QO-6', { kind: 'not_posted' }],
    ['QO-7', { kind: 'unmappable', code: 'UNKNOWN_STATE' }],
  );
  expect(renderDiff(counts, { ...about, out: 'some.ids' }).split('\n')).toEqual([
    'FIELD         ORDERS  SUCH AS',
    'price         2       QO-1 QO-2',
    '(unknown)     1       QO-3',
    '(was FAILED)  1       QO-4',
    'dueDate       1       QO-1',
    'NOT MAPPED     ORDERS  SUCH AS',
    'UNKNOWN_STATE  1       QO-7',
    '(unknown): posted before fields were recorded, so which fields change is unknown.',
    '4 orders stored since 2026-01-01T00:00:00.000Z in prod would be posted again, 1 unchanged, ' +
      '1 no longer mappable, 1 in flight or failed for another reason.',
    'Their ids are in some.ids. Once the mapping is deployed:',
    "  pipeline --stage prod orders replay --from raw --ids some.ids --reason 'mapping fixed'",
  ]);
  expect(counts.affected()).toEqual([
    { orderId: 'QO-1', comment: 'price dueDate' },
    { orderId: 'QO-2', comment: 'price' },
    { orderId: 'QO-3', comment: '(unknown)' },
    { orderId: 'QO-4', comment: '(was FAILED)' },
  ]);
  expect(toDiffDocument(counts, { stage: 'prod', since, listed: 9, isComplete: true })).toEqual({
    stage: 'prod',
    since: '2026-01-01T00:00:00.000Z',
    complete: true,
    listed: 9,
    changed: 4,
    same: 1,
    not_posted: 1,
    fields: { price: ['QO-1', 'QO-2'], dueDate: ['QO-1'], '(unknown)': ['QO-3'], '(was FAILED)': ['QO-4'] },
    unmappable: { UNKNOWN_STATE: ['QO-7'] },
  });
});

test('without changes, the result is one sentence', () => {
  expect(renderDiff(count(['QO-1', { kind: 'same' }]), about)).toBe(
    '0 orders stored since 2026-01-01T00:00:00.000Z in prod would be posted again, 1 unchanged.',
  );
});

test('a stopped comparison is marked as incomplete, and names no file of ids', () => {
  const text = renderDiff(count(['QO-1', changed('price')]), { ...about, isComplete: false, out: 'some.ids' });
  expect(text).toContain('Stopped early.');
  expect(text).not.toContain('some.ids');
});

test('tables fit 80 columns, for any number of orders and any length of IDs', () => {
  const comparisons = Array.from(
    { length: 2_000 },
    (_, index) => [`QO-${'x'.repeat(index % 120)}${index}`, changed('projectedCloseDate', 'price')] as const,
  );
  const lines = renderDiff(count(...comparisons), about).split('\n');
  const table = lines.slice(0, 3);
  expect(table.join('\n')).toContain('projectedCloseDate  2000');
  for (const line of table) expect(line.length).toBeLessThanOrEqual(80);
});

test.each([
  [{ kind: 'unknown_state', stateCode: 'Z\u001b[31mZ' } as const, 'UNKNOWN_STATE: the state "Z [31mZ" is not one of'],
  [{ kind: 'bad_payload' } as const, 'BAD_PAYLOAD: the payload contains no order.'],
])('%j is a failure in one sentence, and has no warnings', (mapping, expected) => {
  expect(describeFailure(mapping)).toContain(expected);
  expect(warningLines(mapping)).toEqual([]);
});

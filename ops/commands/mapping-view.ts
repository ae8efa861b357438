import type { OrderId } from '../../shared/orders/order';
import type { MappedPayload, MappingComparison } from '../services/mapping';
import { shellWord } from './stage-command';
import { oneLine, plural, renderTable } from './terminal';
import type { Session } from './verb';

/** Width of the column of order IDs. */
const maxExamplesWidth = 46;

/** The reason why a payload has no body, as a sentence; undefined if it has one. */
export const describeFailure = (mapping: MappedPayload): string | undefined => {
  if (mapping.kind === 'mapped') return undefined;
  return mapping.kind === 'unknown_state'
    ? `UNKNOWN_STATE: the state ${JSON.stringify(oneLine(mapping.stateCode))} is not one of the 54 jurisdictions.`
    : 'BAD_PAYLOAD: the payload contains no order.';
};

/** One line for each value that could not be mapped. */
export const warningLines = (mapping: MappedPayload): string[] =>
  mapping.kind === 'mapped' ? mapping.warnings.map(({ code, field }) => `warning: ${code} in ${oneLine(field)}`) : [];

/** A mapped order as JSON. */
export const toTrialDocument = (mapping: MappedPayload): object =>
  mapping.kind === 'mapped' ? { body: mapping.order, warnings: mapping.warnings } : {};

interface Affected {
  readonly orderId: OrderId;
  /** The fields that change, or the reason why the order counts as changed. */
  readonly comment: string;
}

const unknownFields = '(unknown)';
const failedBefore = '(was FAILED)';

/** Counts comparisons. Holds the IDs of orders that change and of orders that cannot be mapped. */
export const tally = () => {
  const affected: Affected[] = [];
  const byField = new Map<string, OrderId[]>();
  const byCode = new Map<string, OrderId[]>();
  let same = 0;
  let notPosted = 0;

  const note = (groups: Map<string, OrderId[]>, name: string, orderId: OrderId): void => {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [orderId]);
    else group.push(orderId);
  };

  const change = (orderId: OrderId, fields: readonly string[]): void => {
    affected.push({ orderId, comment: fields.join(' ') });
    for (const field of fields) note(byField, field, orderId);
  };

  return {
    add: (comparison: MappingComparison): void => {
      const { orderId } = comparison;
      if (comparison.kind === 'same') same++;
      else if (comparison.kind === 'not_posted') notPosted++;
      else if (comparison.kind === 'unmappable') note(byCode, comparison.code, orderId);
      else if (comparison.kind === 'mappable_now') change(orderId, [failedBefore]);
      else change(orderId, comparison.fields.length > 0 ? comparison.fields : [unknownFields]);
    },
    /** The orders that change. */
    affected: (): readonly Affected[] => affected,
    /** The orders that change by field, the most frequent field first. */
    byField: () => sorted(byField),
    /** Orders that can no longer be mapped, by code. */
    byCode: () => sorted(byCode),
    same: (): number => same,
    notPosted: (): number => notPosted,
    progress: (listed: number): string =>
      `${plural(listed, 'payload')} listed, ${affected.length + same} orders compared, ${affected.length} change`,
  };
};

type Tally = ReturnType<typeof tally>;

const sorted = (groups: ReadonlyMap<string, readonly OrderId[]>) =>
  [...groups].sort(([a, some], [b, others]) => others.length - some.length || a.localeCompare(b));

interface DiffSubject {
  readonly since: Date;
  /** False after Ctrl-C. */
  readonly isComplete: boolean;
}

/** A comparison as JSON. */
export const toDiffDocument = (
  counts: Tally,
  { stage, since, listed, isComplete }: DiffSubject & { readonly stage: string; readonly listed: number },
) => ({
  stage,
  since: since.toISOString(),
  complete: isComplete,
  listed,
  changed: counts.affected().length,
  same: counts.same(),
  not_posted: counts.notPosted(),
  fields: Object.fromEntries(counts.byField().map(([field, orderIds]) => [field, orderIds])),
  unmappable: Object.fromEntries(counts.byCode().map(([code, orderIds]) => [code, orderIds])),
});

/** A comparison as text. */
export const renderDiff = (
  counts: Tally,
  {
    stageLabel,
    stageCommand,
    since,
    out,
    isComplete,
  }: DiffSubject & Pick<Session, 'stageLabel' | 'stageCommand'> & { readonly out?: string | undefined },
): string => {
  const changed = counts.affected().length;
  const fields = counts.byField();
  const codes = counts.byCode();
  const unmappable = codes.reduce((sum, [, orderIds]) => sum + orderIds.length, 0);
  const summary = [
    `${plural(changed, 'order')} stored since ${since.toISOString()} in ${stageLabel} would be posted again`,
    `${counts.same()} unchanged`,
    ...(unmappable > 0 ? [`${unmappable} no longer mappable`] : []),
    ...(counts.notPosted() > 0 ? [`${counts.notPosted()} in flight or failed for another reason`] : []),
  ].join(', ');
  return [
    ...(fields.length > 0 ? [renderGroups('FIELD', fields)] : []),
    ...(codes.length > 0 ? [renderGroups('NOT MAPPED', codes)] : []),
    ...(fields.some(([field]) => field === unknownFields)
      ? [`${unknownFields}: posted before fields were recorded, so which fields change is unknown.`]
      : []),
    `${isComplete ? '' : 'Stopped early. '}${summary}.`,
    ...(changed > 0 && isComplete ? [nextStep(out, stageCommand)] : []),
  ].join('\n');
};

const nextStep = (out: string | undefined, stageCommand: string): string =>
  out === undefined
    ? '--out <file> writes their ids.'
    : `Their ids are in ${oneLine(out)}. Once the mapping is deployed:\n  ${stageCommand} orders replay --from raw --ids ${shellWord(out)} --reason 'mapping fixed'`;

const renderGroups = (head: string, groups: readonly (readonly [string, readonly OrderId[]])[]): string =>
  renderTable(
    groups.map(([name, orderIds]) => [name, String(orderIds.length), examplesOf(orderIds)]),
    [head, 'ORDERS', 'SUCH AS'],
  );

/** The IDs that fit the column. */
const examplesOf = (orderIds: readonly OrderId[]): string => {
  let text = '';
  for (const orderId of orderIds) {
    if (text.length + orderId.length + 3 > maxExamplesWidth) return `${text}…`;
    text += `${orderId} `;
  }
  return text.trimEnd();
};

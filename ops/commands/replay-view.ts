import type { OrderId } from '../../shared/orders/order';
import { formatBulkCost } from '../format';
import type { ReplayCandidate } from '../services/orders';
import { firstWave } from '../services/replay/ramp';
import type { FinishedReplay } from '../services/replay/replay';
import { graceMs, type ReplayResult, type StopReason } from '../services/replay/run-replay';
import type { ReplaySource } from '../services/replay/sources';
import type { StageConnection } from '../services/stage-connection';
import { shellWord } from './stage-command';
import { oneLine, plural, renderTable, type Terminal } from './terminal';

/** The parameters of a replay. */
export interface Replay {
  readonly stage: StageConnection;
  readonly stageLabel: string;
  readonly stageCommand: string;
  readonly orderIds: readonly OrderId[];
  readonly source: ReplaySource;
  readonly force: boolean;
  readonly ratePerSecond: number;
  /** The file with the IDs of orders that were not started, if there is one. */
  readonly restPath?: string | undefined;
  readonly reason: string;
}

/** Maximum number of order IDs that a text lists. */
const namedOrders = 20;
/** Maximum width of a cause in the table of outcomes. */
const maxCauseWidth = 50;

/** Renders the plan of a replay. */
export const renderPlan = (
  { orderIds, stageLabel, source, force, ratePerSecond }: Replay,
  shown: readonly ReplayCandidate[],
  restPath: string | undefined,
): string => {
  const rows = shown.map(({ orderId, status, errorCode }) => [orderId, status ?? 'unknown', errorCode ?? '']);
  const rest = orderIds.length - rows.length;
  const seconds = Math.ceil(orderIds.length / ratePerSecond);
  const again = source.kind === 'qualia' ? 'downloaded again' : `mapped again from ${bytesOf(source)}`;
  const posted = force ? 'posted again, even if nothing has changed' : 'posted again if anything has changed';
  return [
    renderTable(rows, ['ORDER', 'NOW', 'ERROR']),
    ...(rest > 0 ? [`… and ${rest} more`] : []),
    `Each is ${again} and ${posted}: ${plural(orderIds.length, 'order')} in ` +
      `${stageLabel}, at most ${ratePerSecond} per second, at least ${plural(seconds, 'second')}, ` +
      `${formatBulkCost(orderIds.length)}.`,
    ...(restPath === undefined
      ? []
      : [
          `The first ${firstWave} must end before others start. Ids that are not started are kept in ${oneLine(restPath)}.`,
        ]),
  ].join('\n');
};

/** What a replay waits for that stops by itself. */
export const describeWait = (orders: number): string =>
  `Stopping. Waiting up to ${graceMs / 1_000} s for ${plural(orders, 'order')} in flight`;

const bytesOf = (source: Extract<ReplaySource, { readonly kind: 'raw' }>): string =>
  source.round === undefined
    ? 'its stored payload'
    : `the stored payload of round ${source.round}, even if a newer one is stored`;

const wordOf: Readonly<Record<ReplayResult['outcome'], string>> = {
  posted: 'posted',
  unchanged: 'unchanged',
  superseded: 'superseded',
  failed: 'failed',
  not_started: 'not started',
  under_way: 'under way',
};

const isBad = ({ outcome }: ReplayResult): boolean => outcome === 'failed' || outcome === 'not_started';

/** The result of one order, on one line. It names the request for `logs request`, or the error code. */
export const renderResult = (result: ReplayResult, width: number, { colors }: Terminal): string => {
  const color = isBad(result) ? colors.red : colors.green;
  return [result.orderId.padEnd(width), color(wordOf[result.outcome].padEnd(11)), detailOf(result)]
    .join('  ')
    .trimEnd();
};

const detailOf = (result: ReplayResult): string => {
  if (result.outcome === 'not_started') return oneLine(result.error);
  return result.outcome === 'failed' ? oneLine(result.code) : result.requestId;
};

interface OutcomeCount {
  readonly outcome: ReplayResult['outcome'];
  /** An error code or a sentence. */
  readonly cause: string | undefined;
  readonly orders: number;
}

const causeOf = (result: ReplayResult): string | undefined => {
  if (result.outcome === 'failed') return result.code;
  return result.outcome === 'not_started' ? result.error.replaceAll(result.orderId, '…') : undefined;
};

/** Counts orders by outcome and cause, successes first. */
const countOutcomes = (results: readonly ReplayResult[]): OutcomeCount[] => {
  const counts = new Map<string, OutcomeCount>();
  for (const result of results) {
    const { outcome } = result;
    const cause = causeOf(result);
    const key = `${outcome} ${cause}`;
    counts.set(key, { outcome, cause, orders: (counts.get(key)?.orders ?? 0) + 1 });
  }
  const order = Object.keys(wordOf);
  return [...counts.values()].sort(
    (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.orders - a.orders,
  );
};

const startedOf = (results: readonly ReplayResult[]): number =>
  results.filter(({ outcome }) => outcome !== 'not_started').length;

/** A replay as JSON. */
export const toReplayDocument = (
  { stage, orderIds, source, force, restPath }: Replay,
  results: readonly ReplayResult[],
  { stopped, left }: FinishedReplay,
) => ({
  stage: stage.name,
  source: source.kind,
  force,
  requested: orderIds.length,
  started: startedOf(results),
  failed: results.filter(isBad).length,
  aborted: stopped === 'interrupted',
  stopped: stopped ?? null,
  outcomes: countOutcomes(results).map(({ outcome, cause, orders }) => ({ outcome, cause: cause ?? null, orders })),
  orders: results.map((result) => ({
    order_id: result.orderId,
    outcome: result.outcome,
    started: result.outcome !== 'not_started',
    ...('requestId' in result && { request_id: result.requestId, round: result.round }),
    ...('code' in result && { error_code: result.code }),
    ...('error' in result && { error: result.error }),
  })),
  left,
  rest_file: left.length > 0 ? (restPath ?? null) : null,
});

/** A replay as text: orders by outcome, why the replay stopped, and how to continue it. */
export const renderReplay = (
  replay: Replay,
  results: readonly ReplayResult[],
  { stopped, fault, left, openCircuits }: FinishedReplay,
): string => {
  const failed = results.filter(isBad).length;
  const sentence = [
    `${plural(startedOf(results), 'new round')} started in ${replay.stageLabel}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(left.length > 0 ? [`${stopped === 'interrupted' ? 'aborted with ' : ''}${left.length} not started`] : []),
  ].join(', ');
  const underWay = results.filter(({ outcome }) => outcome === 'under_way').map(({ orderId }) => orderId);
  return [
    ...(results.length > 0 ? [renderOutcomes(results)] : []),
    ...(stopped === undefined ? [] : (stopSentences[stopped](fault?.message ?? '', openCircuits) ?? [])),
    `${sentence}.`,
    ...(underWay.length > 0 ? [`Still in flight: ${named(underWay)}.`] : []),
    ...(left.length > 0 && results.length > 0 ? [`To continue: ${continuation(replay, left)}`] : []),
  ].join('\n');
};

const stopSentences: Readonly<
  Record<StopReason, (fault: string, circuits: readonly string[]) => readonly string[] | undefined>
> = {
  too_many_failed: () => ['Stopped: more than 10 % of the orders failed.'],
  circuit_open: (_fault, circuits) => [
    `Stopped: the circuit of the worker ${circuits.join(' and ')} is open: its API is failing or asked for a long wait.`,
  ],
  nothing_ends: () => ['Stopped: no order has ended for 15 minutes.'],
  unreachable: (fault) => [`Stopped: ${oneLine(fault)}`],
  interrupted: () => undefined,
};

const renderOutcomes = (results: readonly ReplayResult[]): string =>
  renderTable(
    countOutcomes(results).map(({ outcome, cause = '', orders }) => [
      wordOf[outcome],
      String(orders),
      cause.length > maxCauseWidth ? `${oneLine(cause).slice(0, maxCauseWidth)}…` : oneLine(cause),
    ]),
    ['RESULT', 'ORDERS', 'CAUSE'],
  );

const named = (orderIds: readonly OrderId[]): string => {
  const more = orderIds.length - namedOrders;
  return [...orderIds.slice(0, namedOrders), ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
};

/** The command that starts the remaining orders. */
const continuation = (
  { stage, stageCommand, source, force, restPath, reason }: Replay,
  left: readonly OrderId[],
): string => {
  const from = source.kind === 'raw' ? ['--from raw', ...(source.round ? [`--round ${source.round}`] : [])] : [];
  // The list is also the --rest file, so it shrinks until it is removed.
  const which = restPath === undefined ? left.join(' ') : `--ids ${shellWord(restPath)} --rest ${shellWord(restPath)}`;
  return [
    stageCommand,
    'orders replay',
    ...from,
    ...(force ? ['--force'] : []),
    which,
    ...(stage.local ? [] : [`--reason ${shellWord(reason)}`]),
  ].join(' ');
};

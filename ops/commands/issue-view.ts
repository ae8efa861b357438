import {
  describeCause,
  episodeCountOf,
  type Issue,
  type IssueState,
  isReopened,
  runbookOf,
  stateOf,
} from '../../shared/issues/issue';
import type { FailedOrder } from '../services/orders';
import { formatDuration, oneLine, plural, renderTable, type Terminal, wrapText } from './terminal';

/** Width of the widest line. */
const width = 80;
/** Width of the columns before the cause. */
const causeIndent = 41;
const labelWidth = 14;
/** Maximum number of orders that a text names. */
const namedOrders = 20;

/** `open`, `reopened`, `acknowledged` or `resolved`. */
const wordOf = (issue: Issue, nowMs: number): IssueState | 'reopened' => {
  const state = stateOf(issue, nowMs);
  return state === 'open' && isReopened(issue) ? 'reopened' : state;
};

const ageOf = (iso: string, nowMs: number): string => formatDuration((nowMs - Date.parse(iso)) / 1_000);

/** Renders issues as a table. Fits 80 columns. */
export const renderIssues = (issues: readonly Issue[], nowMs: number): string =>
  renderTable(
    issues.map((issue) => [
      oneLine(issue.id),
      wordOf(issue, nowMs),
      String(issue.count),
      ageOf(issue.last_seen, nowMs),
      wrapText(describeCause(issue), width - causeIndent).join('\n'),
    ]),
    ['ISSUE', 'STATE', 'FAILED', 'LAST', 'CAUSE'],
  );

/** Renders an issue, the orders that are left in it, and what to do next. */
export const renderIssue = (
  issue: Issue,
  orders: readonly FailedOrder[],
  stageCommand: string,
  nowMs: number,
  { colors, time }: Terminal,
): string => {
  const state = wordOf(issue, nowMs);
  const color = { open: colors.red, reopened: colors.red, acknowledged: colors.yellow, resolved: colors.green }[state];
  const since = isReopened(issue) ? `, ${episodeCountOf(issue)} since it was opened again` : '';
  const { acknowledged_until, resolved_at, resolved_by } = issue;
  const named = orders.slice(0, namedOrders).map(({ order_id }) => order_id);
  const more = orders.length - named.length;
  const left = orders.length === 0 ? 'none' : `${orders.length}: ${named.join(', ')}${more > 0 ? ', …' : ''}`;
  const rows: (readonly [string, string | undefined])[] = [
    ['issue', `${issue.id}  ${color(colors.bold(state))}`],
    ['cause', describeCause(issue)],
    ['failed', `${plural(issue.count, 'time')}${since}`],
    ['first seen', `${time(issue.first_seen)}, release ${issue.release}`],
    ['last seen', `${time(issue.last_seen)}, release ${issue.last_release}`],
    ['acknowledged', state === 'acknowledged' && acknowledged_until ? `until ${time(acknowledged_until)}` : undefined],
    [
      'resolved',
      resolved_at && `${time(resolved_at)} ${resolved_by === 'quiet' ? 'after 24 quiet hours' : 'by an operator'}`,
    ],
    ['orders left', left],
    ['runbook', `docs/runbook.md#${runbookOf(issue)}`],
  ];
  const next = [
    `orders trace ${orders[0]?.order_id ?? issue.sample}`,
    ...(orders.length > 0 ? [`issues replay ${issue.id}`] : []),
    ...(state === 'resolved' ? [] : [`issues resolve ${issue.id}`]),
  ];
  return [
    ...rows.flatMap(([name, value]) => {
      if (value === undefined) return [];
      // A coloured text has more characters than columns, and is short.
      const [first = '', ...others] = name === 'issue' ? [value] : wrapText(value, width - labelWidth);
      return [colors.dim(name.padEnd(labelWidth)) + first, ...others.map((line) => ' '.repeat(labelWidth) + line)];
    }),
    ...next.map((command) => colors.dim(`${' '.repeat(labelWidth)}${stageCommand} ${command}`)),
  ].join('\n');
};

/** An issue as a JSON document. */
export const toIssueDocument = (issue: Issue, nowMs: number) => ({
  id: issue.id,
  state: stateOf(issue, nowMs),
  reopened: isReopened(issue),
  worker: issue.worker,
  error_code: issue.code,
  status_code: issue.status_code ?? null,
  detail: issue.detail ?? null,
  count: issue.count,
  count_since_reopened: episodeCountOf(issue),
  sample: issue.sample,
  first_seen: issue.first_seen,
  last_seen: issue.last_seen,
  release: issue.release,
  last_release: issue.last_release,
  acknowledged_until: issue.acknowledged_until ?? null,
  resolved_at: issue.resolved_at ?? null,
  resolved_by: issue.resolved_by ?? null,
  runbook: `docs/runbook.md#${runbookOf(issue)}`,
});

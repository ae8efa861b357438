import path from 'node:path';
import Table from 'cli-table3';
import colors from 'picocolors';
import type { MixedDay } from '../sample/day';
import type { OrderState } from './orders-table';
import type { SyncResult } from './run-sync';
import type { DayResult, Summary } from './summary';
import type { World } from './world';

/** Creates a table without borders. Columns from `firstNumber` on are aligned to the right. */
const plainTable = (head: readonly string[], firstNumber: number): Table.Table =>
  new Table({
    head: head.map((text) => colors.bold(text)),
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      mid: '',
      'mid-mid': '',
      'left-mid': '',
      'right-mid': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: '  ',
    },
    colAligns: head.map((_, column) => (column < firstNumber ? 'left' : 'right')),
  });

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

/** Expected and actual number of orders, by status and error code. */
const outcomeRows = (day: Pick<MixedDay, 'expected'>, closed: ReadonlyMap<string, OrderState>) => {
  const rows = new Map<string, { got: number; expected: number }>();
  const rowOf = (key: string) => rows.get(key) ?? rows.set(key, { got: 0, expected: 0 }).get(key);
  for (const [orderId, { outcome, errorCode }] of Object.entries(day.expected)) {
    const order = closed.get(orderId);
    const wanted = rowOf(`${outcome} ${errorCode ?? (outcome === 'FAILED' ? (order?.error?.code ?? '') : '')}`);
    const got = rowOf(order ? `${order.status} ${order.error?.code ?? ''}` : 'open ');
    if (wanted) wanted.expected++;
    if (got) got.got++;
  }
  return [...rows].sort(([a], [b]) => b.localeCompare(a));
};

/** What a start prints about a day. */
export const describeResult = (result: DayResult, summary: Summary, surprises: readonly string[]): string => {
  const orders = plainTable(['Orders', 'Failed with', 'Expected', 'Got'], 2);
  for (const [key, { got, expected }] of outcomeRows(result.day, result.closed)) {
    const [status = '', code = ''] = key.split(' ');
    orders.push([status, code, expected, got === expected ? colors.green(got) : colors.red(got)]);
  }

  const webhooks = Object.entries(summary.webhooks).map(([status, calls]) => `${calls} × ${status}`);
  const { posts, distinct_orders } = summary.internal_api;
  // Two overlapping rounds of an order lead to a further POST of the newest (docs/contracts/internal-api.md).
  const reason = posts > distinct_orders ? ' (an updated order can be posted again)' : '';
  const lines = [
    orders.toString(),
    `Webhooks:     ${webhooks.join(', ')}`,
    `Internal API: ${posts} posts of ${distinct_orders} orders${reason}`,
    `End to end:   p50 ${seconds(summary.end_to_end_ms.p50)}, p95 ${seconds(summary.end_to_end_ms.p95)}`,
    surprises.length === 0
      ? colors.green('Every outcome is as expected.')
      : colors.red(`${surprises.length} outcomes are not as expected:\n  ${surprises.slice(0, 20).join('\n  ')}`),
  ];
  return lines.join('\n');
};

/** The result of a run of the sync jobs. */
export const describeSync = ({ runId, status, cause, messages, folder }: SyncResult): string =>
  [
    colors.bold('Sync jobs'),
    ...Object.entries(messages).map(([job, message]) => `  ${job.padEnd(8)}  ${message}`),
    `  reports   ${path.relative('.', folder)}`,
    status === 'SUCCEEDED'
      ? colors.green(`Sync run ${runId} succeeded.`)
      : colors.red(`Sync run ${runId}: ${status}. ${cause ?? ''}`),
  ].join('\n');

/** The options with which `npx pipeline` works on this state folder: `--local`, or `--state` if it is not the default. */
export const pipelineOptions = (stateDirectory: string): string => {
  if (stateDirectory === path.join(__dirname, '../../.local')) return '--local';
  const isPlain = /^[\w./@:+-]+$/.test(stateDirectory);
  return `--state ${isPlain ? stateDirectory : `'${stateDirectory.replaceAll("'", "'\\''")}'`}`;
};

/** The command that has the Qualia simulator create an order, and post its webhook. */
export const newOrderCommand = ({ controlUrl }: NonNullable<World['qualia']>): string =>
  `curl -X POST ${controlUrl}/new-order`;

/**
 * The next steps, with commands to copy.
 *
 * @param stateDirectory an absolute path: `npx` runs in the current folder of the user, `npm start` in that of package.json
 */
export const describeWhereToLook = (world: World, stateDirectory: string, orderId = 'QO-0001'): string => {
  const pipeline = `npx pipeline ${pipelineOptions(stateDirectory)}`;
  const { username = '', password = '' } = world.secrets.WebhookSecret.basic[0] ?? {};
  const activity = { type: 'message', order_id: orderId, description: 'Posted by hand' };
  return [
    ...(world.qualia
      ? [colors.bold('Send another new order: it is shown here'), `  ${newOrderCommand(world.qualia)}`]
      : []),
    colors.bold('Post a webhook about a known order'),
    `  curl -u '${username}:${password}' -H 'content-type: application/json' \\`,
    `    -d '${JSON.stringify(activity)}' \\`,
    `    ${world.aws.apiUrl}/webhooks/qualia`,
    colors.bold('Look'),
    `  ${pipeline} orders trace ${orderId}`,
    `  ${pipeline} orders list --status FAILED --since 1h`,
    `  ${pipeline} prove`,
    `  ${pipeline} sync start netlife --watch`,
    `  ${pipeline} --help`,
    `  logs         ${stateDirectory}/logs/`,
    `  addresses    ${stateDirectory}/endpoints.json, ${stateDirectory}/simulators.json`,
    `  credentials  ${world.secretsFile}`,
  ].join('\n');
};

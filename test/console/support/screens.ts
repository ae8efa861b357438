import * as z from 'zod';
import { readApi } from './api';
import type { ConsoleWorld } from './world';

/** A screen for the tests and images that open every one. */
export interface ScreenCase {
  /** The name of its image. */
  readonly name: string;
  readonly path: (world: ConsoleWorld) => Promise<string>;
  /** What is on the screen when it is complete. */
  readonly ready: string;
  /** How the keyboard gets there: its link in the navigation, and then what Enter is pressed on. */
  readonly way: readonly [link: string, ...steps: readonly string[]];
  /** What the keyboard then opens in it, and what appears. */
  readonly opens?: { readonly step: string; readonly appears: string };
}

/** A step: the first row of the table. */
export const firstRow = 'the first row';
/** A step: the row of {@link sampleRunOf}. Runs of other tests are above it, and can have failed. */
export const sampleRun = 'the sample run';
/** A step: the search, and the newest order that was processed. The newest of all can have no payload. */
export const searchedOrder = 'the order that is searched for';

const fixed = (path: string) => async (): Promise<string> => path;

const runsSchema = z.object({ runs: z.array(z.object({ run_id: z.string() })) });

/** The sync run of the world: both jobs, and successful. */
export const sampleRunOf = async (world: ConsoleWorld): Promise<string> =>
  runsSchema.parse(await readApi(world, '/sync-runs')).runs.at(-1)?.run_id ?? '';

const ordersSchema = z.object({ orders: z.array(z.object({ order_id: z.string(), status: z.string() })) });

/** The orders that were processed, the newest first. */
export const processedOrdersOf = async (world: ConsoleWorld): Promise<string[]> => {
  const { orders } = ordersSchema.parse(await readApi(world, '/orders?tab=recent'));
  return orders.filter(({ status }) => status === 'PROCESSED').map(({ order_id }) => order_id);
};

/** The newest one of them. */
export const newestOrderOf = async (world: ConsoleWorld): Promise<string> => (await processedOrdersOf(world))[0] ?? '';

const opensOrder = { step: firstRow, appears: '.band' };
const opensLine = { step: firstRow, appears: '[role="dialog"], dialog[open]' };
const lines = '[aria-label="Log lines"] tbody tr';

/** Every screen. */
export const screens: readonly ScreenCase[] = [
  {
    name: 'now',
    path: fixed('/'),
    ready: '.verdict',
    way: ['Now'],
    opens: { step: 'All about queues →', appears: '.pause-row' },
  },
  {
    name: 'issues',
    path: fixed('/issues'),
    ready: '[aria-label="Issues"] svg.sparkline',
    way: ['Issues'],
    opens: { step: firstRow, appears: '.facts' },
  },
  {
    name: 'orders',
    path: fixed('/orders?tab=recent'),
    // A column of its own: the table of the other tab may still be shown.
    ready: '.table [data-title="When"]',
    way: ['Orders', 'Recent'],
    opens: opensOrder,
  },
  { name: 'orders-failed', path: fixed('/orders'), ready: 'main h1', way: ['Orders'], opens: opensOrder },
  {
    name: 'order',
    path: async (world) => `/orders/${await newestOrderOf(world)}`,
    ready: '.band',
    way: ['Orders', searchedOrder],
  },
  {
    name: 'order-payload',
    path: async (world) => `/orders/${await newestOrderOf(world)}?tab=payload`,
    ready: '.structure',
    way: ['Orders', searchedOrder, 'Payload'],
    opens: { step: 'Reveal', appears: '.revealed' },
  },
  {
    name: 'order-logs',
    path: async (world) => `/orders/${await newestOrderOf(world)}?tab=logs`,
    ready: lines,
    way: ['Orders', searchedOrder, 'Logs'],
    opens: opensLine,
  },
  { name: 'queues', path: fixed('/queues'), ready: '.pause-row', way: ['Queues'] },
  {
    name: 'webhooks',
    path: fixed('/webhooks'),
    ready: '[aria-label="Sample"]',
    way: ['Webhooks'],
    opens: { step: 'Structure, without values', appears: '.bodies details[open] pre' },
  },
  {
    name: 'sync-runs',
    path: fixed('/sync-runs'),
    ready: '.table',
    way: ['Sync runs'],
    opens: { step: firstRow, appears: '.graph' },
  },
  {
    name: 'sync-run-start',
    path: fixed('/sync-runs?start=true'),
    ready: '.start-form',
    way: ['Sync runs', 'Start a run …'],
  },
  {
    name: 'sync-run',
    path: async (world) => `/sync-runs/${await sampleRunOf(world)}`,
    ready: '.waterfall-parts',
    way: ['Sync runs', sampleRun],
    opens: { step: 'The whole input', appears: 'details[open] .document' },
  },
  {
    name: 'logs',
    path: fixed(`/logs?q=${encodeURIComponent('fields @timestamp, level, service, message, order_id, outcome')}`),
    ready: lines,
    way: ['Logs', 'Run'],
    opens: opensLine,
  },
  {
    name: 'metrics',
    path: fixed('/metrics?period=3h'),
    ready: '.alarm',
    way: ['Metrics and alarms'],
    opens: { step: 'History of orders-failed', appears: '.alarm-detail' },
  },
  { name: 'actions', path: fixed('/actions'), ready: '.panel, .state-title', way: ['Actions'] },
];

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
}

const fixed = (path: string) => async (): Promise<string> => path;

const runsSchema = z.object({ runs: z.array(z.object({ run_id: z.string() })) });

/** The newest sync run. */
export const newestRunOf = async (world: ConsoleWorld): Promise<string> =>
  runsSchema.parse(await readApi(world, '/sync-runs')).runs[0]?.run_id ?? '';

const ordersSchema = z.object({ orders: z.array(z.object({ order_id: z.string(), status: z.string() })) });

/** The newest order that was processed. */
export const newestOrderOf = async (world: ConsoleWorld): Promise<string> => {
  const { orders } = ordersSchema.parse(await readApi(world, '/orders?tab=recent'));
  return orders.find(({ status }) => status === 'PROCESSED')?.order_id ?? '';
};

/** Every screen. */
export const screens: readonly ScreenCase[] = [
  { name: 'now', path: fixed('/'), ready: '.verdict' },
  { name: 'issues', path: fixed('/issues'), ready: '[aria-label="Issues"] tbody tr' },
  { name: 'orders', path: fixed('/orders?tab=recent'), ready: '.table' },
  { name: 'orders-failed', path: fixed('/orders'), ready: 'main h1' },
  { name: 'order', path: async (world) => `/orders/${await newestOrderOf(world)}`, ready: '.band' },
  {
    name: 'order-payload',
    path: async (world) => `/orders/${await newestOrderOf(world)}?tab=payload`,
    ready: '.structure',
  },
  {
    name: 'order-logs',
    path: async (world) => `/orders/${await newestOrderOf(world)}?tab=logs`,
    ready: '[aria-label="Log lines"] tbody tr',
  },
  { name: 'queues', path: fixed('/queues'), ready: '.pause-row' },
  { name: 'webhooks', path: fixed('/webhooks'), ready: '[aria-label="Sample"]' },
  { name: 'sync-runs', path: fixed('/sync-runs'), ready: '.table' },
  { name: 'sync-run-start', path: fixed('/sync-runs?start=true'), ready: '.start-form' },
  { name: 'sync-run', path: async (world) => `/sync-runs/${await newestRunOf(world)}`, ready: '.graph' },
  {
    name: 'logs',
    path: fixed(`/logs?q=${encodeURIComponent('fields @timestamp, level, service, message, order_id, outcome')}`),
    ready: '[aria-label="Log lines"] tbody tr',
  },
  { name: 'metrics', path: fixed('/metrics?period=3h'), ready: '.alarm' },
  { name: 'actions', path: fixed('/actions'), ready: '.panel, .state-title' },
];

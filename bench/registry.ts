import type { FigureSet } from './figure';
import { authenticationTiming } from './figures/authentication';
import { bundles } from './figures/bundles';
import { economy } from './figures/economy';
import { firstWork } from './figures/first-work';
import { iterable } from './figures/iterable';
import { iterableChanges } from './figures/iterable-changes';
import { largeOrders } from './figures/large-orders';
import { mapping } from './figures/mapping';
import { netlife } from './figures/netlife';
import { orderCpu } from './figures/order-cpu';
import { plainWorker } from './figures/plain-worker';
import { reconcile } from './figures/reconcile';
import { start } from './figures/start';
import { throughput } from './figures/throughput';
import { webhook } from './figures/webhook';

/** Every set of figures, in the sequence of the measurements. To add one, create a file in `figures/` and list it here. */
export const figureSets: readonly FigureSet[] = [
  bundles,
  firstWork,
  webhook,
  authenticationTiming,
  mapping,
  economy,
  orderCpu,
  largeOrders,
  throughput,
  plainWorker,
  reconcile,
  netlife,
  iterable,
  iterableChanges,
  start,
];

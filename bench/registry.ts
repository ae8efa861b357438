import type { FigureSet } from './figure';
import { bundles } from './figures/bundles';
import { economy } from './figures/economy';
import { firstWork } from './figures/first-work';
import { iterable } from './figures/iterable';
import { mapping } from './figures/mapping';
import { netlife } from './figures/netlife';
import { reconcile } from './figures/reconcile';
import { signInTiming } from './figures/sign-in';
import { throughput } from './figures/throughput';
import { webhook } from './figures/webhook';

/** Every set of figures, in the order in which they are measured. A new set is a file in `figures/` and its name here. */
export const figureSets: readonly FigureSet[] = [
  bundles,
  firstWork,
  webhook,
  signInTiming,
  mapping,
  economy,
  throughput,
  reconcile,
  netlife,
  iterable,
];

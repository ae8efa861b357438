import type { Drill } from './drill';
import { orderDrills } from './drills/orders';
import { syncDrills } from './drills/syncs';
import { webhookDrills } from './drills/webhooks';
import { workerDrills } from './drills/workers';

/** One drill for every alarm of every stage. */
export const drills: readonly Drill[] = [...webhookDrills, ...workerDrills, ...orderDrills, ...syncDrills];

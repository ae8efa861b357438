import { createWorkerMemory, type OrderMemory } from '../../shared/orders/order-memory';

/** The memory of an order that is alone in its worker. */
export const orderMemory = (): OrderMemory => createWorkerMemory(512).open('qualia', 1, () => 0);

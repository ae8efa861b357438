import type { Scheduler } from './scheduler';

/** What can be cut off or fail by itself. */
export const services = ['dynamodb', 'sqs', 's3', 'secrets', 'qualia', 'internal'] as const;
export type Service = (typeof services)[number] | 'netlife' | 'iterable' | 'database';

/** What happens to one call. The first part says whether it takes effect. */
export type CallFault =
  | 'lost request'
  | 'refused'
  | 'lost response'
  | 'failed after effect'
  | 'crash before'
  | 'crash after';

/**
 * What can be wrong with one order for a time. `qualia`, `internal`: the API returns errors for it. Of the internal API,
 * `swallowed`: it takes the order, but responds with an error; `refused`: it refuses the order; `dragged`: its requests
 * take up to 12 seconds, and its responses up to a minute.
 */
export type Trouble = 'qualia' | 'internal' | 'swallowed' | 'refused' | 'dragged';

/** How often each fault occurs, per call. */
const weights: readonly (readonly [CallFault, number])[] = [
  ['lost request', 2],
  ['refused', 4],
  ['lost response', 2],
  ['failed after effect', 2],
  ['crash before', 1],
  ['crash after', 1],
];
const totalWeight = weights.reduce((sum, [, weight]) => sum + weight, 0);

/** The share of a vendor's calls that take seconds. */
const slowShare = 0.05;

/** The faults of the moment. */
export const createFaults = (scheduler: Scheduler) => {
  const { choose, now } = scheduler;
  const cutUntilMs = new Map<Service, number>();
  const slowUntilMs = new Map<Service, number>();
  const interruptedUntilMs = new Map<string, number>();
  const troubledUntilMs = new Map<string, number>();
  let share = 0;
  return {
    /** Sets the share of calls that fail, from 0 to 1. */
    setShare: (value: number): void => {
      share = value;
    },
    /** No call reaches the service for this time. */
    cut: (service: Service, ms: number): void => void cutUntilMs.set(service, now() + ms),
    /** Calls take seconds for this time. */
    slow: (service: Service, ms: number): void => void slowUntilMs.set(service, now() + ms),
    /** Something is wrong with one order for this time. */
    trouble: (trouble: Trouble, orderId: string, ms: number): void =>
      void troubledUntilMs.set(`${trouble} ${orderId}`, now() + ms),
    isTroubled: (trouble: Trouble, orderId: string): boolean =>
      (troubledUntilMs.get(`${trouble} ${orderId}`) ?? 0) > now(),
    /** Each process of this worker is killed right after it writes an order, for this time. */
    interrupt: (worker: string, ms: number): void => void interruptedUntilMs.set(worker, now() + ms),
    isInterrupted: (worker: string): boolean => (interruptedUntilMs.get(worker) ?? 0) > now(),
    /** Ends all faults. */
    end: (): void => {
      share = 0;
      cutUntilMs.clear();
      slowUntilMs.clear();
      interruptedUntilMs.clear();
      troubledUntilMs.clear();
    },

    ofCall: (service: Service): CallFault | undefined => {
      if ((cutUntilMs.get(service) ?? 0) > now()) return 'lost request';
      if (share === 0 || !choose.chance(share)) return undefined;
      let ticket = choose.fraction() * totalWeight;
      return weights.find(([, weight]) => {
        ticket -= weight;
        return ticket < 0;
      })?.[0];
    },

    /** The time of one direction of a call. */
    latencyMs: (service: Service): number => {
      const isVendor = service === 'qualia' || service === 'internal';
      const isSlow = (slowUntilMs.get(service) ?? 0) > now() || (isVendor && share > 0 && choose.chance(slowShare));
      return isSlow ? 1_000 + choose.fraction() * 20_000 : 1 + choose.fraction() * 12;
    },
  };
};

export type Faults = ReturnType<typeof createFaults>;

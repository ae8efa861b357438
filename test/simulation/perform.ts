import type { InternalApi } from './apis/internal-api';
import type { Qualia } from './apis/qualia';
import type { Aws } from './aws';
import { resources } from './composition';
import type { Faults } from './faults';
import type { FunctionPool } from './function-pool';
import type { Action, Worker } from './history';
import { createInherit } from './inherit';
import type { createPoller } from './poller';
import type { Scheduler } from './scheduler';
import type { createWebhookSender } from './webhook-sender';

export interface PerformOptions {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly qualia: Qualia;
  readonly internalApi: InternalApi;
  readonly aws: Aws;
  readonly pools: Readonly<Record<Worker, FunctionPool>>;
  readonly pollers: ReadonlyMap<string, ReturnType<typeof createPoller>>;
  readonly sender: ReturnType<typeof createWebhookSender>;
  /** Replays an order as an operator does. */
  readonly replay: (orderId: string, force: boolean) => Promise<unknown>;
  /** The same, but the command is killed right after it has written the order. */
  readonly abandonReplay: (orderId: string) => void;
}

type Change = Action & { readonly kind: 'change' };

/** Qualia sends a webhook this many times. */
const maxSends = 6;

/** A change with one webhook at once. */
const plain = ({ orderId }: { readonly orderId: string }): Omit<Change, 'kind'> => ({
  orderId,
  copies: 1,
  delayMs: 0,
  format: 'milliseconds',
});

/** Performs the actions of a history. */
export const createPerform = (options: PerformOptions): ((action: Action) => void) => {
  const { scheduler, faults, qualia, internalApi, aws, pools, pollers, sender, replay, abandonReplay } = options;
  const { now, choose, after } = scheduler;
  const inherit = createInherit({
    now,
    qualia,
    internalApi,
    aws,
    onAcknowledged: (orderId) => sender.inherit(orderId, 1),
  });

  /** Changes an order at Qualia, which posts webhooks. */
  const change = ({ orderId, copies, delayMs, format }: Omit<Change, 'kind'>, state?: string): void => {
    const { version, isOpen } = qualia.change(orderId, state);
    // The reconciler finds every lost change of an open order. Of a closed one, only a webhook reports it.
    const [count, sends] = isOpen ? [copies, maxSends] : [Math.max(1, copies), Infinity];
    sender.announce(
      { orderId, version, format, maxSends: sends },
      Array.from({ length: count }, () => delayMs * choose.fraction()),
    );
  };

  return (action) => {
    switch (action.kind) {
      case 'change':
        change(action);
        return;
      case 'crash':
        pools[action.worker].killAll();
        return;
      case 'freeze':
        for (const process of pools[action.worker].processes()) process.freezeFor(action.ms);
        return;
      case 'skew':
        for (const process of pools[action.worker].processes()) process.skewBy(action.ms);
        return;
      case 'cut':
        faults.cut(action.service, action.ms);
        return;
      case 'slow':
        faults.slow(action.service, action.ms);
        return;
      case 'poison':
        faults.trouble(action.api, action.orderId, action.ms);
        return;
      case 'deploy':
        for (const pool of Object.values(pools)) pool.replaceAll();
        return;
      case 'pause':
        pollers.get(resources[action.worker])?.pause(action.ms);
        return;
      case 'replay':
        if (qualia.orders.has(action.orderId)) replay(action.orderId, action.force).catch(() => undefined);
        return;
      case 'redrive':
        aws.redrive();
        return;
      case 'reconcile':
        void pools.reconciler.invoke({});
        return;
      case 'inherit':
        inherit(action.orderId, action.left, action.ageMs);
        return;
      case 'release':
        for (const pool of Object.values(pools)) pool.deploy(action.release, action.ms);
        return;
      case 'interrupt':
        faults.interrupt(action.worker, action.ms);
        return;
      case 'abandon':
        // Nothing names an order that has closed: its round would wait for ever.
        if (qualia.orders.get(action.orderId)?.isOpen) abandonReplay(action.orderId);
        return;
      case 'spoil':
        if (action.how === 'refused') faults.trouble('refused', action.orderId, action.ms);
        change(plain(action), action.how === 'unmappable' ? 'XX' : undefined);
        // An order that failed for good waits for its next change.
        after(action.ms, () => change(plain(action)));
        return;
      case 'muddle':
        faults.trouble(action.how, action.orderId, action.ms);
        for (const ms of action.changesAfterMs) after(ms, () => change(plain(action)));
        return;
    }
  };
};

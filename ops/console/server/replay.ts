import type { OrderId } from '../../../shared/orders/order';
import { describeWait, toReplayDocument } from '../../commands/replay-view';
import { plural } from '../../format';
import { replayOrders } from '../../services/replay/replay';
import type { ReplayResult, StopReason } from '../../services/replay/run-replay';
import type { StarterOptions } from '../../services/replay/sources';
import type { Console } from './console';
import type { TaskControl, TaskEnd } from './tasks';

/** Which orders to replay, and how. */
export interface ReplayInput extends StarterOptions {
  readonly orderIds: readonly OrderId[];
  readonly ratePerSecond: number;
}

const stopNotes: Readonly<Record<StopReason, string>> = {
  too_many_failed: 'Stopped: more than 10 % of the orders failed.',
  circuit_open: 'Stopped: a circuit is open: its API is failing or asked for a long wait.',
  nothing_ends: 'Stopped: no order has ended for 15 minutes.',
  unreachable: 'Stopped: AWS cannot be reached.',
  interrupted: 'Stopped by you.',
};

/** The work of a task that replays orders and follows each to its end, as `pipeline orders replay`. */
export const createReplay =
  ({ stage, stageLabel, stageCommand, now }: Console, { orderIds, ...options }: ReplayInput) =>
  async ({ signal, report, note }: TaskControl): Promise<TaskEnd> => {
    const results: ReplayResult[] = [];
    const finished = await replayOrders(stage, orderIds, {
      ...options,
      signal,
      now,
      onResult: (result) => report(results.push(result)),
      onWait: (orders) => note(`${describeWait(orders)}; Stop ends the wait.`),
      onProgress: async () => undefined,
      onBlind: () => undefined,
    });
    const replay = { stage, stageLabel, stageCommand, orderIds, reason: '', ...options };
    const { outcomes, failed, left } = toReplayDocument(replay, results, finished);
    const notes = [
      ...outcomes.map(({ outcome, cause, orders }) =>
        [plural(orders, 'order'), outcome.replace('_', ' '), cause ?? []].flat().join(' '),
      ),
      ...(finished.stopped === undefined ? [] : [stopNotes[finished.stopped]]),
      ...(left.length === 0 ? [] : [`${plural(left.length, 'order')} not started.`]),
    ];
    if (finished.stopped === 'interrupted') return { state: 'interrupted', notes };
    return { state: failed > 0 || finished.stopped !== undefined ? 'failed' : 'done', notes };
  };

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerName } from '../../../shared/orders/order';
import { cells, eventually } from './ask';
import { type Cut, cellIdOf, type NthCall } from './cell';
import { dyingBeforeSend, failing, outage, refusing } from './matrix';
import { announceDryPasses, announceWorld, readWorld } from './world';

declare global {
  var faultsWorld: { process: ChildProcess; stateDirectory: string } | undefined;
}

/** Starts the world for all test files, and lets each flow go through it once, uncut, to see what there is to cut. */
export default async (): Promise<void> => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'faults-'));
  const program = join(__dirname, 'run-world.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, stateDirectory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  globalThis.faultsWorld = { process: child, stateDirectory };
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The world did not start');
    }),
  ]);
  announceWorld(readWorld(message));

  // What these open is the world's.
  const { createOrder, failureOf, notify, processed, reconcile, watchDeadLetters } = await import('./orders');
  const { kindsOfRun, runToItsEnd } = await import('./runs');
  const operator = watchDeadLetters();
  let passes = 0;
  const watch = async (flow: (id: string) => Promise<unknown>, ...cuts: readonly Cut[]) => {
    const id = cellIdOf(++passes);
    await createOrder(id);
    await cells.put(id, { cuts, cold: 'every' });
    await flow(id);
    return (await cells.seen(id)).map(
      ({ lambda, service, operation, nth }): NthCall => ({ lambda, service, operation, nth }),
    );
  };
  const runs: Record<string, NthCall[]> = {};
  for (const [name, kind] of Object.entries(kindsOfRun)) {
    runs[name] = await watch((id) => runToItsEnd(id, kind), ...kind.besides);
  }
  const notifyAndWatch = (until: (id: string) => Promise<unknown>, ...cuts: readonly Cut[]) =>
    watch(
      async (id) => {
        await notify(id, 'notification');
        await until(id);
      },
      ...cuts,
    );
  const pick = (calls: readonly NthCall[], from: string, ...operations: readonly string[]) =>
    calls.filter(({ lambda, operation }) => lambda === from && operations.includes(operation));

  const watchAgain = async (lambda: 'webhook' | 'download') => {
    const calls = await notifyAndWatch(processed, dyingBeforeSend(lambda));
    // The first of them was its death.
    return pick(calls, lambda, 'GetObject', 'GetItem', 'SendMessage').slice(1);
  };
  const watchFailing = async (stage: WorkerName) =>
    pick(await notifyAndWatch(operator.arrived, failing[stage]), stage, 'ChangeMessageVisibility', 'UpdateItem');
  const watchRefused = async (stage: WorkerName) => {
    const failed = (id: string) => eventually(`the failure of ${id}`, () => failureOf(id));
    return pick(await notifyAndWatch(failed, refusing[stage]), stage, 'PutObject', 'UpdateItem');
  };
  const watchSpared = async () => {
    const sentBack = async (id: string) => {
      await eventually(`the fresh copy of ${id}`, async () => pick(await cells.seen(id), 'download', 'SendMessage')[0]);
      await cells.heal(id);
      await processed(id);
    };
    // Healed, it sends once more, to processing.
    return pick(await notifyAndWatch(sentBack, outage), 'download', 'GetItem', 'SendMessage').slice(0, 2);
  };
  const ofBoth = async (watchStage: (stage: WorkerName) => Promise<NthCall[]>) => ({
    download: await watchStage('download'),
    processing: await watchStage('processing'),
  });

  announceDryPasses({
    order: await notifyAndWatch(processed),
    again: { webhook: await watchAgain('webhook'), download: await watchAgain('download') },
    failing: await ofBoth(watchFailing),
    refused: await ofBoth(watchRefused),
    spared: await watchSpared(),
    reconciliation: (await watch(reconcile)).filter(({ lambda }) => lambda === 'reconciler'),
    runs,
  });
  await operator.stop();
};

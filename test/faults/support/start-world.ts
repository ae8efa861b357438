import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cells } from './ask';
import { type CallSite, type Cut, cellIdOf } from './cell';
import { failing } from './matrix';
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
  const { createOrder, notify, processed, reconcile, watchDeadLetters } = await import('./orders');
  const { kindsOfRun, runToItsEnd } = await import('./runs');
  const operator = watchDeadLetters();
  let passes = 0;
  const watch = async (flow: (id: string) => Promise<unknown>, ...cuts: readonly Cut[]) => {
    const id = cellIdOf(++passes);
    await createOrder(id);
    await cells.put(id, { cuts, cold: 'every' });
    await flow(id);
    return (await cells.seen(id)).map(({ lambda, service, operation }): CallSite => ({ lambda, service, operation }));
  };
  /** What a worker calls because its step failed. */
  const watchFailing = async (stage: keyof typeof failing) => {
    const calls = await watch(async (id) => {
      await notify(id, 'activity');
      await operator.arrived(id);
    }, failing[stage]);
    return calls.filter(
      ({ lambda, operation }) => lambda === stage && ['ChangeMessageVisibility', 'UpdateItem'].includes(operation),
    );
  };
  const runs: Record<string, readonly CallSite[]> = {};
  for (const [name, kind] of Object.entries(kindsOfRun)) {
    runs[name] = await watch((id) => runToItsEnd(id, kind), ...kind.besides);
  }
  announceDryPasses({
    order: await watch(async (id) => {
      await notify(id, 'activity');
      await processed(id);
    }),
    failingDownload: await watchFailing('download'),
    failingProcessing: await watchFailing('processing'),
    reconciliation: (await watch(reconcile)).filter(({ lambda }) => lambda === 'reconciler'),
    runs,
  });
  await operator.stop();
};

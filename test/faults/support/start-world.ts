import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerName } from '../../../shared/orders/order';
import { eventually, scenarios } from './clients';
import { killBeforeSend, permanentFailures, qualiaOutage, retryableFailures } from './matrix';
import { type InjectedFault, type NthCall, scenarioIdOf } from './scenario';
import { announceBaseline, announceWorld, readWorld } from './world';

declare global {
  var faultsWorld: { process: ChildProcess; stateDirectory: string } | undefined;
}

/** Starts the world for all test files, and records the baseline: the calls of each flow. */
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

  // Imported here, because these modules read the world's addresses when they load.
  const { createOrder, notify, postInvalid, reconcile, waitUntilProcessed, watchDeadLetters } = await import(
    './orders'
  );
  const { kindsOfRun, runToItsEnd } = await import('./runs');
  const deadLetters = watchDeadLetters();
  let recordings = 0;
  const record = async (flow: (id: string) => Promise<unknown>, ...faults: readonly InjectedFault[]) => {
    const id = scenarioIdOf(++recordings);
    await createOrder(id);
    await scenarios.put(id, { faults, coldLambda: 'every' });
    await flow(id);
    return (await scenarios.calls(id)).map(
      ({ lambda, service, operation, nth }): NthCall => ({ lambda, service, operation, nth }),
    );
  };
  const runs: Record<string, NthCall[]> = {};
  for (const [name, kind] of Object.entries(kindsOfRun)) {
    runs[name] = await record((id) => runToItsEnd(id, kind), ...kind.otherFaults);
  }
  const notifyAndRecord = (until: (id: string) => Promise<unknown>, ...faults: readonly InjectedFault[]) =>
    record(
      async (id) => {
        await notify(id, 'notification');
        await until(id);
      },
      ...faults,
    );
  const pick = (calls: readonly NthCall[], from: string, ...operations: readonly string[]) =>
    calls.filter(({ lambda, operation }) => lambda === from && operations.includes(operation));

  const recordResend = async (lambda: 'webhook' | 'download') => {
    const calls = await notifyAndRecord(waitUntilProcessed, killBeforeSend(lambda));
    // The first delivery was killed at its send, so the first of these calls is not the second delivery's.
    return pick(calls, lambda, 'GetObject', 'GetItem', 'SendMessage', 'SendMessageBatch').slice(1);
  };
  const recordRetryableFailure = async (worker: WorkerName) => {
    const calls = await notifyAndRecord(deadLetters.waitFor, retryableFailures[worker]);
    return pick(calls, worker, 'ChangeMessageVisibility', 'UpdateItem');
  };
  const recordPermanentFailure = async (worker: WorkerName) => {
    // The second update is that of the issue.
    const waitForIssue = (id: string) =>
      eventually(`the issue of ${id}`, async () => pick(await scenarios.calls(id), worker, 'UpdateItem')[1]);
    return pick(await notifyAndRecord(waitForIssue, permanentFailures[worker]), worker, 'PutObject', 'UpdateItem');
  };
  const recordFreshCopy = async () => {
    const waitForFreshCopy = async (id: string) => {
      const sends = async () => pick(await scenarios.calls(id), 'download', 'SendMessage');
      await eventually(`the fresh copy of ${id}`, async () => (await sends())[0]);
      await scenarios.clearFaults(id);
      await waitUntilProcessed(id);
    };
    return pick(await notifyAndRecord(waitForFreshCopy, qualiaOutage), 'download', 'GetItem', 'SendMessage');
  };
  const ofBothWorkers = async (recordOf: (worker: WorkerName) => Promise<NthCall[]>) => ({
    download: await recordOf('download'),
    processing: await recordOf('processing'),
  });

  announceBaseline({
    order: await notifyAndRecord(waitUntilProcessed),
    refusal: pick(await record(postInvalid), 'webhook', 'PutObject'),
    resend: { webhook: await recordResend('webhook'), download: await recordResend('download') },
    retryableFailure: await ofBothWorkers(recordRetryableFailure),
    permanentFailure: await ofBothWorkers(recordPermanentFailure),
    freshCopy: await recordFreshCopy(),
    reconciliation: (await record(reconcile)).filter(({ lambda }) => lambda === 'reconciler'),
    runs,
  });
  await deadLetters.stop();
};

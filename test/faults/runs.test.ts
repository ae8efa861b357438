import { scenarios } from './support/clients';
import { interruptOnce, type Row } from './support/matrix';
import { isKeyCreation, newestSentIndex } from './support/responses';
import { callsOfRuns } from './support/run-calls';
import { finalFiles, kindsOfRun, maskVariations, runToItsEnd } from './support/runs';
import { nameOf, type RecordedCall, scenarioIdOf } from './support/scenario';
import { partIndexIn } from './support/users';
import { readBaseline } from './support/world';

const baseline = readBaseline().runs;
let runs = 0;

/** The users and events that arrived at Iterable, without repetitions. Iterable also identifies them by their bodies. */
const sentToIterable = (calls: readonly RecordedCall[]) =>
  [...new Set(calls.filter(isPush).map((call) => `${call.operation} ${call.body}`))].sort();
const isPush = ({ lambda, service, arrived }: RecordedCall) =>
  lambda === 'iterable-push' && service === 'http' && arrived;

/** Calls that send users of a part whose result was already written. There must be none. */
const sentAgain = (calls: readonly RecordedCall[]) => {
  const written = new Set<string>();
  return calls.filter((call) => {
    if (call.operation.startsWith('PutObject iterable/parts/results/') && call.arrived) written.add(call.operation);
    const part = String(partIndexIn(call.body)).padStart(6, '0');
    return isPush(call) && written.has(`PutObject iterable/parts/results/${part}.ndjson`);
  });
};

/** Subjects for which an access key was created. */
const keysCreated = (calls: readonly RecordedCall[]) =>
  calls
    .filter(isKeyCreation)
    .map(({ resource }) => resource)
    .sort();

/** What the next run compares its users with. */
const indexOf = (calls: readonly RecordedCall[]) => maskVariations(newestSentIndex(calls) ?? '');

/** Calls that differ only in their job or subject are interrupted once, except for the write of a job's last part. */
const isRepetition = ({ site, nth }: Row['fault']) =>
  nth !== 1 && site.operation.includes(':id') && !/^PutObject .*-last\.json$/.test(site.operation);

/** A read has no effect, so it does not matter whether it is interrupted before or after it. */
const isReadAfter = ({ site, interception }: Row['fault']) =>
  interception.when === 'after' && /^(GET|Get|List)/.test(site.operation);

/** Progress is written at the start, at intervals, and at the end. Only the first three writes happen in every run. */
const isUncertain = ({ site, nth }: Row['fault']) => site.operation === 'UpdateItem' && Number(nth) > 3;

describe.each(Object.entries(kindsOfRun))('%s', (name, kind) => {
  const runWithoutFaults = async () => {
    const id = scenarioIdOf(50_000 + runs++);
    await scenarios.put(id, { faults: [] });
    await runToItsEnd(id, kind);
    const calls = await scenarios.calls(id);
    return {
      files: await finalFiles(id),
      sent: sentToIterable(calls),
      keys: keysCreated(calls),
      index: indexOf(calls),
    };
  };
  let undisturbed: ReturnType<typeof runWithoutFaults> | undefined;

  const rows = interruptOnce(baseline[name] ?? []).filter(
    ({ fault }) => kind.includes(fault) && !isRepetition(fault) && !isReadAfter(fault) && !isUncertain(fault),
  );

  test('every known call is interrupted', () => {
    const interrupted = new Set(rows.map(({ fault: { site, nth } }) => `${nameOf(site)} #${nth}`));
    expect([...interrupted].sort()).toEqual(callsOfRuns[name]);
  });

  test.concurrent.each(rows.map((row) => [row.name, row.fault] as const))('%s', async (_name, fault) => {
    const id = scenarioIdOf(50_000 + runs++);
    const isSecret = fault.site.service === 'secretsmanager';
    await scenarios.put(id, {
      faults: [fault, ...kind.otherFaults],
      ...(isSecret && { coldLambda: fault.site.lambda }),
    });
    await runToItsEnd(id, kind);
    const calls = await scenarios.calls(id);
    expect(calls.filter(({ faultIndex }) => faultIndex === 0).map(nameOf)).toEqual([nameOf(fault.site)]);
    undisturbed ??= runWithoutFaults();
    const expected = await undisturbed;
    expect(await finalFiles(id)).toEqual(expected.files);
    expect(sentToIterable(calls)).toEqual(expected.sent);
    expect(sentAgain(calls)).toEqual([]);
    expect(keysCreated(calls)).toEqual(expected.keys);
    expect(indexOf(calls)).toEqual(expected.index);
  });
});

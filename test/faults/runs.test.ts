import { isCreatedKey } from './support/answers';
import { cells } from './support/ask';
import { cellIdOf, nameOf, type SeenCall } from './support/cell';
import { cutOnce, type Row } from './support/matrix';
import { callsOfRuns } from './support/run-calls';
import { finalFiles, kindsOfRun, runToItsEnd } from './support/runs';
import { partOf } from './support/users';
import { dryPasses } from './support/world';

const passes = dryPasses().runs;
let runs = 0;

/** The users and events that reached Iterable, each once, identified by their bodies as Iterable does. */
const sentToIterable = (seen: readonly SeenCall[]) =>
  [...new Set(seen.filter(isPush).map((call) => `${call.operation} ${call.body}`))].sort();
const isPush = ({ lambda, service, arrived }: SeenCall) => lambda === 'iterable-push' && service === 'http' && arrived;

/** What is sent although its part is already written: it must be empty. */
const sentAgain = (seen: readonly SeenCall[]) => {
  const written = new Set<string>();
  return seen.filter((call) => {
    if (call.operation.startsWith('PutObject iterable/parts/results/') && call.arrived) written.add(call.operation);
    const part = String(partOf(call.body)).padStart(6, '0');
    return isPush(call) && written.has(`PutObject iterable/parts/results/${part}.ndjson`);
  });
};

/** Subjects for which an access key was created. */
const keysCreated = (seen: readonly SeenCall[]) =>
  seen
    .filter(isCreatedKey)
    .map(({ resource }) => resource)
    .sort();

/**
 * Of calls that differ only in their job or subject, one is enough. A written part may be the first or the last,
 * though.
 */
const isLikeAnother = ({ site, nth }: Row['cut']) =>
  nth !== 1 && site.operation.includes(':id') && !/^PutObject .*-last\.json$/.test(site.operation);

/** A read changes nothing, so whether it arrived before its response was lost makes no difference. */
const isSameAsBefore = ({ site, by }: Row['cut']) => by.when === 'after' && /^(GET|Get|List)/.test(site.operation);

/** Progress is written at the start, at intervals, and at the end: only three writes are certain. */
const mayNotCome = ({ site, nth }: Row['cut']) => site.operation === 'UpdateItem' && Number(nth) > 3;

describe.each(Object.entries(kindsOfRun))('%s', (name, kind) => {
  const runUncut = async () => {
    const id = cellIdOf(50_000 + runs++);
    await cells.put(id, { cuts: [] });
    await runToItsEnd(id, kind);
    const seen = await cells.seen(id);
    return { files: await finalFiles(id), sent: sentToIterable(seen), keys: keysCreated(seen) };
  };
  let untouched: ReturnType<typeof runUncut> | undefined;

  const rows = cutOnce(passes[name] ?? []).filter(
    ({ cut }) => kind.isCut(cut) && !isLikeAnother(cut) && !isSameAsBefore(cut) && !mayNotCome(cut),
  );

  test('every known call is interrupted', () => {
    const cut = new Set(rows.map(({ cut: { site, nth } }) => `${nameOf(site)} #${nth}`));
    expect([...cut].sort()).toEqual(callsOfRuns[name]);
  });

  test.concurrent.each(rows.map((row) => [row.name, row.cut] as const))('%s', async (_name, cut) => {
    const id = cellIdOf(50_000 + runs++);
    const isSecret = cut.site.service === 'secretsmanager';
    await cells.put(id, { cuts: [cut, ...kind.besides], ...(isSecret && { cold: cut.site.lambda }) });
    await runToItsEnd(id, kind);
    const seen = await cells.seen(id);
    expect(seen.filter((call) => call.cut === 0).map(nameOf)).toEqual([nameOf(cut.site)]);
    untouched ??= runUncut();
    const expected = await untouched;
    expect(await finalFiles(id)).toEqual(expected.files);
    expect(sentToIterable(seen)).toEqual(expected.sent);
    expect(sentAgain(seen)).toEqual([]);
    expect(keysCreated(seen)).toEqual(expected.keys);
  });
});

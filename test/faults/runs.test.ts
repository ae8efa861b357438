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

/** What reached Iterable, each once: bodies say who and which event, and that is what Iterable goes by. */
const sentToIterable = (seen: readonly SeenCall[]) =>
  [...new Set(seen.filter(isPush).map((call) => `${call.operation} ${call.body}`))].sort();
const isPush = ({ lambda, service, arrived }: SeenCall) => lambda === 'iterable-push' && service === 'http' && arrived;

/** What is sent when its part is written already: it must be nothing. */
const sentAgain = (seen: readonly SeenCall[]) => {
  const written = new Set<string>();
  return seen.filter((call) => {
    if (call.operation.startsWith('PutObject iterable/parts/results/') && call.arrived) written.add(call.operation);
    const part = String(partOf(call.body)).padStart(6, '0');
    return isPush(call) && written.has(`PutObject iterable/parts/results/${part}.ndjson`);
  });
};

/** Subjects for whom an access key was created. */
const keysCreated = (seen: readonly SeenCall[]) =>
  seen
    .filter(isCreatedKey)
    .map(({ resource }) => resource)
    .sort();

/** Calls that differ in their job or subject alone: one of them is enough. But a part that is written may be the first, or the last. */
const isLikeAnother = ({ site, nth }: Row['cut']) =>
  nth !== 1 && site.operation.includes(':id') && !/^PutObject .*-last\.json$/.test(site.operation);

/** A read leaves nothing behind: whether it got there before its answer was lost, nobody can tell. */
const isSameAsBefore = ({ site, by }: Row['cut']) => by.when === 'after' && /^(GET|Get|List)/.test(site.operation);

/** Progress is written at the beginning, every so often, and at the end: only three writes are sure to come. */
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

  test('every call that is known to be made is cut', () => {
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

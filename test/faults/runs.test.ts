import { cells } from './support/ask';
import { cellIdOf, nameOf, type SeenCall } from './support/cell';
import { cutOnce } from './support/matrix';
import { finalFiles, type RunKind, runToItsEnd } from './support/runs';
import { dryPasses } from './support/world';

const passes = dryPasses();
let runs = 0;

/** What reached Iterable, each once: bodies say who and which event, and that is what Iterable goes by. */
const sentToIterable = (seen: readonly SeenCall[]) => [
  ...new Set(seen.filter(isPush).map((call) => `${call.operation} ${call.body}`)),
];
const isPush = ({ lambda, service, arrived }: SeenCall) => lambda === 'iterable-push' && service === 'http' && arrived;

/** What is sent when its part is written already: it must be nothing. */
const sentAgain = (seen: readonly SeenCall[]) => {
  const written = seen.findIndex(
    ({ operation, resource, arrived }) => operation === 'PutObject' && resource.includes('/parts/results/') && arrived,
  );
  return written < 0 ? [] : seen.slice(written).filter(isPush);
};

describe.each<RunKind>(['netlifeRun', 'iterableRun'])('%s', (kind) => {
  const untouched = (async () => {
    const id = cellIdOf(50_000 + runs++);
    await cells.put(id, { cuts: [] });
    await runToItsEnd(id, kind);
    return { files: await finalFiles(id), sent: sentToIterable(await cells.seen(id)) };
  })();

  const rows = cutOnce(passes[kind])
    // The same first and last step in both: once is enough.
    .filter(({ cut }) => kind === 'netlifeRun' || cut.site.lambda.startsWith('iterable-'))
    // Progress is written at the beginning, every so often, and at the end: only three writes are sure to come.
    .filter(({ cut }) => cut.site.operation !== 'UpdateItem' || Number(cut.nth) <= 3);

  test.concurrent.each(rows.map((row) => [row.name, row.cut] as const))('%s', async (_name, cut) => {
    const id = cellIdOf(50_000 + runs++);
    await cells.put(id, { cuts: [cut], ...(cut.site.service === 'secretsmanager' && { cold: cut.site.lambda }) });
    await runToItsEnd(id, kind);
    const seen = await cells.seen(id);
    expect(seen.filter((call) => call.cut === 0).map(nameOf)).toEqual([nameOf(cut.site)]);
    const expected = await untouched;
    expect(await finalFiles(id)).toEqual(expected.files);
    expect(sentToIterable(seen)).toEqual(expected.sent);
    expect(sentAgain(seen)).toEqual([]);
  });
});

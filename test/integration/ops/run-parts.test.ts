import { createRunParts } from '../../../ops/services/run-graph/read-parts';
import type { WaterfallRow } from '../../../ops/services/run-graph/waterfall';
import { connectToStage, type StageConnection } from '../../../ops/services/stage-connection';
import { createUserParts } from '../../../shared/iterable/user-parts';
import { createPortalParts } from '../../../shared/netlife/portal-parts';
import { addStatistics } from '../../../shared/netlife/stats';
import { startStage, type TestStage } from './operators';

const runId = 'mine';
const portal = 'nowandforeverphoto';
const taken = { statistics: addStatistics(), rejected: [] };

let stage: TestStage;
let connection: StageConnection;
beforeEach(async () => {
  stage = await startStage();
  connection = await connectToStage({ stage: 'dev', localStateDirectory: stage.localStateDirectory });
});
afterEach(async () => {
  connection.close();
  await stage.stop();
});

/** A row with one turn, which began a minute ago and lasts. */
const row = (state: string, of?: string): WaterfallRow => ({
  portal: of,
  state,
  isWait: false,
  turns: [{ startedMs: Date.now() - 60_000, endedMs: undefined, end: undefined, error: undefined }],
});
const partsOf = async (rows: readonly WaterfallRow[]) =>
  (await createRunParts(connection).addTo(runId, rows)).map(({ parts }) =>
    parts?.shown.map(({ name, status, work }) => `${name} ${status} ${work.length}`),
  );

test('the jobs of a portal are its parts, once they are listed', async () => {
  const rows = [row('CollectPortal', portal), row('MergePortal', portal)];
  expect(await partsOf(rows)).toEqual([undefined, undefined]);

  const parts = createPortalParts(stage.openFolder(runId), portal);
  const jobs = ['job/1', 'job/2', 'job/3', 'job/4'].map((uuid) => ({ uuid, activities: [] }));
  await parts.writeJobs(jobs, taken);
  const write = (jobUuid: string, position: number, done: boolean) => {
    const part = { ...taken, jobUuid, done, after: undefined, through: undefined, contacts: [] };
    return parts.writePart(parts.pathOf(part, position), part);
  };
  await write('job/1', 0, false);
  await write('job/1', 1, true);
  await write('job/2', 0, false);
  await parts.writeFailure('job/3', 'attempt.0', { error: 'Netlife answered 500', error_code: 'API_UNAVAILABLE' });
  const [collect, merge] = await partsOf(rows);
  expect(collect?.toSorted()).toEqual(['job/1 done 1', 'job/2 running 1', 'job/3 failed 1', 'job/4 running 1']);
  expect(merge).toBeUndefined();
});

test('the parts of the Iterable project are those that the run sends', async () => {
  const parts = createUserParts(stage.openFolder(runId));
  const paths = [parts.rowsPath(0, false), parts.rowsPath(1, true)];
  for (const path of paths) await parts.writeRows(path, []);
  await parts.writeResults(paths[0] ?? '', []);
  expect(await partsOf([row('ExtractUsers'), row('PushUsers')])).toEqual([
    undefined,
    ['part 2 running 1', 'part 1 done 1'],
  ]);

  await parts.writeChanged(0, []);
  const compared = { added: 1, changed: 0, unchanged: 0, removed: 0, to_send: 1, samples: [] };
  await parts.writeExtracted({ rows: 1, rejected: 0, compared: { ...compared, list: { users: 1, parts: 1 } } });
  expect(await partsOf([row('PushUsers')])).toEqual([['part 1 done 1']]);
});

test('what can no longer change is read once', async () => {
  const collect = row('CollectPortal', portal);
  const parts = createPortalParts(stage.openFolder(runId), portal);
  await parts.writeJobs([{ uuid: 'job-1', activities: [] }], taken);
  const ended = { ...collect, turns: collect.turns.map((turn) => ({ ...turn, endedMs: Date.now() + 60_000 })) };
  const reader = createRunParts(connection);
  const before = await reader.addTo(runId, [ended]);
  await parts.writeFailure('job-1', 'attempt.0', { error: 'late', error_code: 'API_UNAVAILABLE' });
  expect(await reader.addTo(runId, [ended])).toEqual(before);
  expect(await reader.addTo(runId, [collect])).not.toEqual(before);
});

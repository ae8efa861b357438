import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createLookUp } from '../../../lambdas/iterable-extract/look-up';
import { loadSampleUsers } from '../../../local/sample/users';
import { exitCodes } from '../../../ops/commands/exit-codes';
import { csvLine } from '../../../shared/csv';
import { sourceColumns } from '../../../shared/iterable/rows';
import { openUserSource } from '../../../shared/iterable/source';
import { contactColumns } from '../../../shared/netlife/contacts';
import { lambdaContext } from '../../support/lambda-context';
import { unconfigured } from '../../support/unconfigured';
import { hoursAgo, nowMs, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const row = (columns: readonly string[], values: Readonly<Record<string, string>>, ...more: readonly string[]) =>
  csvLine([...columns.map((column) => values[column] ?? ''), ...more]);

/** Adds a run that has ended, with these files. */
const addRun = async (
  runId: string,
  finishedAtMs: number,
  job: object,
  files: Readonly<Record<string, string>>,
): Promise<void> => {
  const folder = stage.openFolder(runId);
  for (const [path, content] of Object.entries(files)) await folder.put(path, content);
  const run = await stage.runs.start({
    input: { run_id: runId, ...job },
    executionArn: `arn:aws:states:us-east-1:000000000000:execution:SyncJobs:${runId}`,
    startedAtMs: finishedAtMs - 60_000,
    leases: [],
  });
  await stage.runs.finish(run, {
    status: 'SUCCEEDED',
    message: 'Done',
    reports: Object.keys(files).map((path) => folder.keyOf(path)),
    finishedAtMs,
  });
};

const explained = async (id: string) => {
  const { exitCode, stdout } = await stage.operate(['explain', id, '--json']);
  const { reasons, ...document } = JSON.parse(stdout);
  return { exitCode, ...document, texts: reasons.map((reason: { text: string }) => reason.text) };
};

const iterable = { iterable: { plan: 'pro', pages: ['pricing', 'settings'], days: 7, limit: 0 } };
const netlife = {
  netlife: {
    portals: ['nowandgen'],
    audience: 'buyers',
    contact_filter: 'any',
    registered_only: false,
    job_ids: ['812'],
  },
};
const uuid = (digit: number): string => `${digit}0000000-0000-4000-8000-000000000000`;

beforeAll(async () => {
  const users = (...ids: readonly string[]) =>
    row(sourceColumns, Object.fromEntries(sourceColumns.map((name) => [name, name]))) +
    ids.map((id) => row(sourceColumns, { id, email: 'jane.doe@example.com', last_name: 'Doe\n9' })).join('');
  await addRun('nightly-1', hoursAgo(34), iterable, {
    'iterable/query_results_1.csv': users('1', '4'),
    'iterable/rejected.csv': users(),
    'iterable/failed.csv': users(),
  });
  await addRun('nightly-2', hoursAgo(10), iterable, {
    'iterable/query_results_2.csv': users('1', '2', '3'),
    'iterable/rejected.csv': users() + row(sourceColumns, { id: '2' }, 'the e-mail does not parse'),
    'iterable/failed.csv': users() + row(sourceColumns, { id: '3' }, 'users_update', 'InvalidEmail', 'jane.doe@x'),
  });
  await addRun('portraits', hoursAgo(5), netlife, {
    'netlife/nowandgen/contacts_nowandgen_buyers_any_1.csv':
      row(contactColumns, Object.fromEntries(contactColumns.map((name) => [name, name]))) +
      row(contactColumns, { portal: 'nowandgen', job_uuid: 'job-7', subject_uuid: uuid(1), last_name: 'Doe' }),
    'netlife/nowandgen/rejected.ndjson': `${JSON.stringify({ portal: 'nowandgen', list: 'buyers', uuid: uuid(2), position: 1, reason: 'name is not text' })}\n`,
    'netlife/nowandgen/stats.json': JSON.stringify({ failed_jobs: [{}], jobs_not_on_sale: ['812'] }),
  });
});

describe('an order', () => {
  it('that failed is not there', async () => {
    await stage.addFailed('QO-1');
    expect(await explained('QO-1')).toMatchObject({
      exitCode: exitCodes.failed,
      kind: 'order',
      destination: 'the internal API',
      answer: 'no',
      summary: 'not sent: ORDER_NOT_FOUND',
      texts: ['download failed with ORDER_NOT_FOUND: The order does not exist in Qualia'],
    });
  });

  it('without a webhook is not there', async () => {
    expect(await explained('QO-404')).toMatchObject({
      exitCode: exitCodes.failed,
      answer: 'no',
      summary: 'not known here',
    });
  });

  it('is explained in 80 columns', async () => {
    await stage.addNotified('QO-2');
    const { exitCode, stdout } = await stage.operate(['explain', 'QO-2']);
    expect(exitCode).toBe(exitCodes.failed);
    expect(stdout.split('\n')).toEqual([
      'Is order QO-2 at the internal API? not yet',
      'waits for Qualia',
      '2026-01-31 11:00 UTC  notified; it waits for download, which calls Qualia',
      '                      pipeline --local orders trace QO-2',
      '',
    ]);
  });
});

test.each([
  ['1', 'yes', ['run nightly-2: sent 02:00']],
  ['2', 'no', ['run nightly-2: rejected 02:00: the e-mail does not parse', expect.stringContaining('nightly-1')]],
  [
    '3',
    'no',
    [
      'run nightly-2: refused 02:00: Iterable responded to users_update with InvalidEmail',
      expect.stringContaining('nightly-1'),
    ],
  ],
  ['4', 'yes', [expect.stringContaining('run nightly-2: not sent: '), 'run nightly-1: sent 30 Jan']],
  [
    '9',
    'no',
    [
      'run nightly-2: not sent: the query selects customers of the plan pro with a view of pricing or settings in the last 7 days, and did not select this one',
      expect.stringContaining('run nightly-1: not sent: '),
    ],
  ],
])('customer %s: %s', async (id, answer, texts) => {
  expect(await explained(id)).toMatchObject({ kind: 'customer', destination: 'Iterable', answer, texts });
});

test.each([
  [uuid(1), 'yes', 'run portraits: in the contacts file of nowandgen, from job job-7'],
  [uuid(2), 'no', 'run portraits: rejected 07:00 from the list buyers: name is not text'],
  [
    uuid(3),
    'no',
    'run portraits: job 812 is not on sale; in no contacts file; the run takes only buyers, only 1 given job; 1 job failed in nowandgen',
  ],
])('subject %s: %s', async (id, answer, reason) => {
  expect(await explained(id)).toMatchObject({ kind: 'subject', answer, texts: [reason] });
});

describe('with the columns of the database by which the query selects', () => {
  const folder = mkdtempSync(join(tmpdir(), 'customers-'));
  const file = join(folder, 'users.sqlite');
  const openSource = jest.fn(() => openUserSource({ kind: 'sqlite', file }));
  const lookUp = createLookUp(unconfigured('extract'), { openSource });
  const lambda = createServer(async (request, response) => {
    response.end(JSON.stringify(await lookUp(JSON.parse(await text(request)), lambdaContext())));
  });

  beforeAll(async () => {
    loadSampleUsers(file, nowMs);
    await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
    const { port } = lambda.address() as AddressInfo;
    const syncJobs = { ...stage.outputs['dev-SyncJobs'], IterableExtractFunctionName: 'iterable-extract' };
    stage.announce({
      endpoints: { ...stage.endpoints, lambda: `http://127.0.0.1:${port}` },
      outputs: { ...stage.outputs, 'dev-SyncJobs': syncJobs },
    });
  });
  afterAll(async () => {
    stage.announce({});
    lambda.closeAllConnections();
    await new Promise((resolve) => lambda.close(resolve));
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['14', 'not sent: plan is free'],
    ['11', expect.stringMatching(/^not sent: its last view of pricing or settings was on 20\d\d-\d\d-\d\d$/)],
    ['999', 'not sent: the database has no such customer'],
  ])('customer %s: %s', async (id, summary) => {
    expect(await explained(id)).toMatchObject({ answer: 'no', summary });
  });

  test('a database that cannot be read', async () => {
    openSource.mockImplementationOnce(() => openUserSource({ kind: 'sqlite', file: join(folder, 'none') }));
    openSource.mockImplementationOnce(() => openUserSource({ kind: 'sqlite', file: join(folder, 'none') }));
    const { summary } = await explained('14');
    expect(summary).toMatch(/did not select this one; the database cannot be read: CONNECTION_FAULT$/);
  });
});

test.each([
  ['2', 'rejected 02:00: the e-mail does not parse'],
  [uuid(3), 'job 812 is not on sale'],
])('the answer about %s begins with the main reason: %s', async (id, summary) => {
  const { stdout } = await stage.operate(['explain', id]);
  const [question, reason, ...others] = stdout.trimEnd().split('\n');
  expect(question).toMatch(new RegExp(`^Is .* ${id} at .*\\? no$`));
  expect(reason).toBe(summary);
  expect(others.filter((line) => line.length > 80)).toEqual([]);
});

test('no value of a person is shown', async () => {
  for (const id of ['1', '2', '3', uuid(1)]) {
    for (const form of [[], ['--json']]) {
      const { stdout, stderr } = await stage.operate(['explain', id, ...form]);
      expect(stdout + stderr).not.toMatch(/jane|\bdoe\b/i);
    }
  }
});

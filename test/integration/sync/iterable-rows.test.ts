import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import { queryResultsCsv } from '../../../shared/iterable/report';
import type { SourceRow } from '../../../shared/iterable/rows';
import { rowsFilePath } from '../../../shared/iterable/rows-file';
import { createSentIndex } from '../../../shared/iterable/sent-index';
import type { RunPlan } from '../../../shared/runs/plan';
import { unconfigured } from '../../support/unconfigured';
import { createSource, row } from './iterable-runs';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

let iterable: IterableSimulator;
let system: System;
/** The database of the tests. */
let rows: SourceRow[] = [];
beforeAll(async () => {
  iterable = await startIterableSimulator({
    credentials: credentials.iterable,
    limits: { 'users/update': 1e6, 'users/bulkUpdate': 1e6, 'events/track': 1e6, 'events/trackBulk': 1e6 },
  });
  system = await startSystem({
    iterableUrl: iterable.url,
    source: {
      rows: (query) => createSource(rows).source.rows(query),
      leavers: unconfigured('leavers'),
      customer: unconfigured('customer'),
      missingColumns: unconfigured('missingColumns'),
    },
  });
});
afterAll(async () => {
  system.stop();
  await iterable.stop();
});
const indexKey = 'sent/iterable.json';
beforeEach(async () => {
  await system.clients.s3.send(new DeleteObjectCommand({ Bucket: system.bucketName, Key: indexKey }));
  await setFaults(iterable.controlUrl);
  await takeRequests(iterable.controlUrl);
});

const planned = (input: object): Promise<RunPlan> => system.plan({ run_id: `rows-${++runs}`, iterable: input });
let runs = 0;
const planRows = async (...file: readonly SourceRow[]): Promise<RunPlan> => {
  const run = await planned({ source: 'rows' });
  const csv = queryResultsCsv.header + file.map(queryResultsCsv.line).join('');
  await system.folder(run.run_id).putOnce(rowsFilePath, csv);
  return run;
};
const finish = async (run: RunPlan) => {
  await system.extract(run);
  await system.push(run);
  return system.report(run);
};
const sync = async (input: object = {}) => finish(await planned({ only_changed: true, ...input }));
const database = (count: number, candidate: string | null = null): SourceRow[] =>
  Array.from({ length: count }, (_, index) => row(index + 1, { candidate }));

const profileSchema = z.object({ data_fields: z.looseObject({ candidate: z.string().optional() }) });
/** The value that Iterable has of a user. */
const candidateOf = async (id: number) =>
  profileSchema.parse(await (await fetch(`${iterable.controlUrl}/users/user${id}@example.com`)).json()).data_fields
    .candidate;

test('the run after it sends only the users of the file again, in every kind of run', async () => {
  rows = database(5, 'A');
  await sync();
  await sync({ days: 8 });
  // One user is not in the query, and one has no valid id.
  const file = [row(4, { candidate: 'Kim' }), row(2), row(9), row(3, { id: 'three' })];
  expect(await finish(await planRows(...file))).toMatchObject({ counts: { successful: 3, rejected: 1 } });
  for (const input of [{}, { days: 8 }]) {
    expect(await sync(input)).toMatchObject({ counts: { added: 0, changed: 2, unchanged: 3, removed: 0 } });
    expect(await sync(input)).toMatchObject({ counts: { changed: 0, unchanged: 5 } });
  }
  expect(await candidateOf(4)).toBe('A');
});

test('several files, and users that failed before', async () => {
  rows = [...database(3, 'A'), row(4, { email: 'user4+forgotten@example.com' })];
  await sync();
  await finish(await planRows(row(1, { candidate: 'Kim' })));
  await finish(await planRows(row(4, { candidate: 'Kim' })));
  rows = database(4, 'A');
  expect(await sync()).toMatchObject({ counts: { added: 0, changed: 2, unchanged: 2 } });
  expect([await candidateOf(1), await candidateOf(4)]).toEqual(['A', 'A']);
});

test('wherever the run of rows is killed, the next one leaves Iterable with the values of the database', async () => {
  rows = database(3, 'A');
  await sync();
  let crashes = 0;
  for (const when of ['before', 'after'] as const) {
    for (let nth = 1; ; nth++) {
      const killed = await planRows(row(2, { candidate: 'B' }));
      await system.extract(killed);
      const crashed = (await system.push(killed, { crash: { call: 'PutObject', when, nth } })) === 'crashed';
      const next = await sync();
      expect(next).toMatchObject({ status: 'SUCCEEDED', counts: { added: 0, removed: 0 } });
      expect([when, nth, await candidateOf(2)]).toEqual([when, nth, 'A']);
      // Redriven later, it sends what is missing.
      await system.push(killed);
      expect(await sync()).toMatchObject({ counts: { added: 0, removed: 0 } });
      expect([when, nth, await candidateOf(2)]).toEqual([when, nth, 'A']);
      if (!crashed) break;
      crashes += 1;
    }
  }
  // The index, the results, and the counts of the turn.
  expect(crashes).toBe(6);
});

/** A run that compares, and is killed after its first users arrived at Iterable. */
const killWhileSending = async () => {
  const run = await planned({ only_changed: true });
  await system.extract(run);
  const crash = { call: 'PutObject', when: 'after', nth: 2 } as const;
  expect(await system.push(run, { crash })).toBe('crashed');
  return run;
};

test('between a killed run and its redrive: the list that it stores has the users of the file to send again', async () => {
  rows = database(3, 'A');
  await sync();
  rows = [row(1, { candidate: 'B' }), ...database(3, 'A').slice(1)];
  const killed = await killWhileSending();
  await finish(await planRows(row(2, { candidate: 'C' }), row(1, { candidate: 'C' })));
  expect(await finish(killed)).toMatchObject({ status: 'SUCCEEDED', counts: { changed: 1 } });
  expect(await sync()).toMatchObject({ counts: { changed: 2, unchanged: 1 } });
  expect([await candidateOf(1), await candidateOf(2)]).toEqual(['B', 'A']);
});

test('between the comparison and the first call of another run: that one sends nothing', async () => {
  rows = database(3, 'A');
  await sync();
  const late = await planned({ only_changed: true });
  rows = database(3, 'B');
  await system.extract(late);
  await finish(await planRows(row(2, { candidate: 'C' })));
  await expect(system.push(late)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect(await sync()).toMatchObject({ counts: { changed: 3 } });
  expect(await candidateOf(2)).toBe('B');
});

test('a comparison without changes does not hide a file that was sent since', async () => {
  rows = database(3, 'A');
  await sync();
  const late = await planned({ only_changed: true });
  await system.extract(late);
  await finish(await planRows(row(2, { candidate: 'C' })));
  await system.push(late);
  expect(await system.report(late)).toMatchObject({ counts: { unchanged: 3, total_users: 0 } });
  expect(await sync()).toMatchObject({ counts: { changed: 1, unchanged: 2 } });
  expect(await candidateOf(2)).toBe('A');
});

test('a killed first run is not redriven after a run that sent everyone', async () => {
  rows = database(2, 'A');
  const killed = await killWhileSending();
  rows = database(2, 'B');
  await finish(await planned({}));
  rows = database(2, 'A');
  // Two results are missing, so that the redrive would send users again.
  await system.clients.s3.send(
    new PutObjectCommand({
      Bucket: system.bucketName,
      Key: `runs/${killed.run_id}/iterable/parts/changed/000001.ndjson`,
      Body: `${JSON.stringify(row(3))}\n`,
    }),
  );
  await expect(system.push(killed)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect(await sync()).toMatchObject({ counts: { added: 2, successful: 2 } });
  expect(await candidateOf(1)).toBe('A');
});

test('if the rows were deleted since, everyone is sent', async () => {
  rows = database(3);
  await sync();
  const file = await planRows(row(2, { candidate: 'Kim' }));
  await finish(file);
  const Key = `runs/${file.run_id}/iterable/parts/rows/000000-last.ndjson`;
  await system.clients.s3.send(new DeleteObjectCommand({ Bucket: system.bucketName, Key }));
  expect(await sync()).toMatchObject({ counts: { added: 3, successful: 3 } });
});

test('after a file of over 100,000 rows, everyone is sent', async () => {
  rows = database(2);
  await sync();
  const index = createSentIndex(system.clients.s3, system.bucketName);
  await index.hold({ runId: 'large-1', base: undefined, rowsParts: 60, hasSent: false });
  expect(await sync({ limit: 1 })).toMatchObject({ counts: { added: 1 } });
  await finish(await planned({ only_changed: true, full: true }));
  const file = await planRows(row(1));
  await finish(file);
  await index.hold({ runId: 'large-2', base: undefined, rowsParts: 100, hasSent: false });
  expect(await sync()).toMatchObject({ counts: { added: 2 } });
});

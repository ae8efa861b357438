import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { newStateDirectory, secretsFile, startFixture } from './fixture/start';

const original = newStateDirectory();
const copy = `${original}-copy`;
beforeAll(async () => {
  const aws = await startFixture(original);
  // Enough data for a table file of LevelDB, and for several pages of bodies in SQLite.
  const large = 'x'.repeat(300_000);
  for (let index = 0; index < 20; index += 1) {
    await aws.putOrder(`order-${index}`, large);
  }
  const s3 = new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 });
  await s3.send(new PutObjectCommand({ Bucket: aws.data.RawBucketName, Key: 'a', Body: large }));
  await aws.stop();
});
beforeEach(() => {
  rmSync(copy, { recursive: true, force: true });
  cpSync(original, copy, { recursive: true });
});
afterAll(() => {
  rmSync(original, { recursive: true });
  rmSync(copy, { recursive: true });
});

/** Starts the embedded AWS with the damaged copy. The start must fail. */
const failedStart = async (): Promise<string> => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(__dirname, 'fixture/run.ts'), copy, secretsFile(copy)],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  if (child.stderr === null) throw new Error('The process has no output');
  child.once('message', () => child.kill());
  const exited = once(child, 'exit');
  const output = await text(child.stderr);
  expect(await exited).toEqual([1, null]);
  return output;
};

const inCopy = (...names: string[]) => path.join(copy, ...names);
const tableFiles = (pattern: RegExp) =>
  (existsSync(inCopy('tables')) ? readdirSync(inCopy('tables')) : [])
    .filter((name) => pattern.test(name))
    .map((name) => inCopy('tables', name));
const shorten = (lengthBytes: number, ...files: string[]) => {
  for (const file of files) truncateSync(file, lengthBytes);
};
const remove = (...files: string[]) => {
  for (const file of files) rmSync(file, { recursive: true });
};
const database = () => inCopy('queues-and-buckets', 'fauxqs.db');

/** The remaining data, without the log of writes: LevelDB converts that to a table file when it opens. */
const contents = () =>
  [...tableFiles(/\.ldb$/), database(), inCopy('ports.json')]
    .filter((file) => existsSync(file))
    .map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]);

const restoreTables = /\/tables(\/CURRENT)? is damaged: .*\. Restore it from a copy, or delete everything in /;
const restoreQueues = /\/fauxqs\.db is damaged: .*\. Restore it from a copy, or delete everything in /;

test.each<[string, () => void, RegExp]>([
  ['no tables', () => remove(inCopy('tables')), restoreTables],
  ['no table file', () => remove(...tableFiles(/\.ldb$/)), restoreTables],
  ['a short table file', () => shorten(1_000, ...tableFiles(/\.ldb$/)), restoreTables],
  ['no CURRENT', () => remove(inCopy('tables', 'CURRENT')), restoreTables],
  ['an empty CURRENT', () => truncateSync(inCopy('tables', 'CURRENT')), restoreTables],
  ['no manifest', () => remove(...tableFiles(/^MANIFEST/)), restoreTables],
  ['a short manifest', () => shorten(20, ...tableFiles(/^MANIFEST/)), restoreTables],
  ['no log of writes', () => remove(...tableFiles(/\.log$/)), restoreTables],
  ['no queues', () => remove(inCopy('queues-and-buckets')), restoreQueues],
  ['no database', () => remove(database()), restoreQueues],
  ['an empty database', () => truncateSync(database()), restoreQueues],
  ['half a database', () => truncateSync(database(), statSync(database()).size / 2), restoreQueues],
  ['another file for a database', () => writeFileSync(database(), 'x'.repeat(5_000)), restoreQueues],
  [
    'short ports.json',
    () => truncateSync(inCopy('ports.json'), 20),
    /ports\.json is damaged: it is not JSON\. Delete it: /,
  ],
  [
    'impossible ports',
    () => writeFileSync(inCopy('ports.json'), '{"api":99999}'),
    /ports\.json is damaged: api: .*\. Delete it: /,
  ],
])(
  'with %s, the start fails with an error that names the damage, and keeps the remaining data',
  async (_name, damage, message) => {
    damage();
    const before = contents();
    expect(await failedStart()).toMatch(message);
    expect(contents()).toEqual(expect.arrayContaining(before));
  },
);

test('a start with a damaged secrets file names the file, but does not show its content', async () => {
  writeFileSync(secretsFile(original), '{"WebhookSecret":{"signing_secrets":["whsec_private');
  const aws = await startFixture(original);
  const response = await fetch(aws.endpoints.secretsmanager, {
    method: 'POST',
    headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: JSON.stringify({ SecretId: aws.data.WebhookSecretArn }),
  });
  const body = await response.text();
  expect([response.status, body]).toEqual([500, expect.stringContaining('secrets.json is damaged: it is not JSON')]);
  expect(body).not.toContain('private');
  await aws.stop();
});

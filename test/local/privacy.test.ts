import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { containsValue, peopleIn } from '../support/personal-data';
import { startCommand } from '../support/start-command';

// Runs a small day and both sync jobs on the embedded AWS. Then searches everything that they stored for secrets, and
// everything except the two buckets for the people of the sample data.

const root = join(__dirname, '../..');
const stateDirectory = mkdtempSync(join(tmpdir(), 'privacy-'));

const runningSchema = z.object({
  endpoints: z.object({ s3: z.url(), dynamodb: z.url() }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});
const namesSchema = z.object({
  OrdersTableName: z.string(),
  SyncRunsTableName: z.string(),
  RawBucketName: z.string(),
  ArtifactsBucketName: z.string(),
});

/** Place → the text stored there. */
type Places = ReadonlyMap<string, string>;

const filesBelow = (folder: string): Places =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file, 'utf8')]),
  );

let raw: Places;
let artifacts: Places;
let items: Places;
let logs: Places;
let assembly: Places;
let executions: Places;

beforeAll(async () => {
  const [program, ...args] = startCommand;
  const child = spawn(program, [...args, '--no-console', '--state', stateDirectory, '--orders', '60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('It stays up')) break;

  const { endpoints, outputs } = runningSchema.parse(
    JSON.parse(readFileSync(join(stateDirectory, 'endpoints.json'), 'utf8')),
  );
  const names = namesSchema.parse(Object.assign({}, ...Object.values(outputs)));
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const s3 = new S3Client({ ...common, endpoint: endpoints.s3, forcePathStyle: true });
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }));

  const objectsIn = async (Bucket: string): Promise<Places> => {
    const found = new Map<string, string>();
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket }))
      for (const { Key = '' } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        found.set(Key, (await Body?.transformToString()) ?? '');
      }
    return found;
  };
  const itemsOf = async (...tables: readonly string[]): Promise<Places> => {
    const found = new Map<string, string>();
    for (const TableName of tables)
      for await (const { Items = [] } of paginateScan({ client: documents }, { TableName }))
        for (const item of Items) found.set(`${TableName} ${found.size}`, JSON.stringify(item));
    return found;
  };
  raw = await objectsIn(names.RawBucketName);
  artifacts = await objectsIn(names.ArtifactsBucketName);
  items = await itemsOf(names.OrdersTableName, names.SyncRunsTableName);
  s3.destroy();
  documents.destroy();
  child.kill('SIGTERM');
  await ended;
  logs = filesBelow(join(stateDirectory, 'logs'));
  executions = filesBelow(join(stateDirectory, 'executions'));
  assembly = filesBelow(join(root, 'cdk.out'));
});
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

/** The places that contain one of the values, and that value. */
const findIn = (places: Places, values: readonly string[]): string[] =>
  [...places].flatMap(([place, text]) =>
    values.filter((value) => containsValue(text, value)).map((value) => `${place}: ${value}`),
  );

const basicSchema = z.object({ username: z.string(), password: z.string() });

/** All texts in a value, and for each pair of user and password its HTTP Basic credentials. */
const leavesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? [...Object.values(value).flatMap(leavesOf), ...basicOf(value)]
    : typeof value === 'string'
      ? [value]
      : [];

const basicOf = (value: object): string[] => {
  const { data } = basicSchema.safeParse(value);
  return data === undefined ? [] : [Buffer.from(`${data.username}:${data.password}`).toString('base64')];
};

test('every place contains data', () => {
  for (const places of [raw, artifacts, items, logs, executions, assembly]) expect(places.size).toBeGreaterThan(1);
  const logged = [...logs.values()].join('');
  for (const word of ['order processed', 'CloudWatchMetrics', 'sync step']) expect(logged.includes(word)).toBe(true);
});

// Templates and bundles cannot contain these secrets, see test/infra/stacks.test.ts.
test('no log, object, item or execution history contains a secret', () => {
  const file = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(stateDirectory, 'secrets.json'), 'utf8')));
  // User names are common words, so they are excluded.
  const secrets = leavesOf(file).filter((value) => value.length >= 20);
  expect(secrets.length).toBeGreaterThanOrEqual(10);
  const variants = secrets.flatMap((value) => [
    value,
    value.replace(/^whsec_/, ''),
    Buffer.from(value).toString('base64'),
  ]);
  for (const places of [raw, artifacts, items, logs, executions]) expect(findIn(places, variants)).toEqual([]);
});

test('only the two buckets contain personal data', () => {
  const inBuckets = [...raw.values(), ...artifacts.values()].join('\n');
  const people = new Set([
    ...(inBuckets.match(/[\w.+-]+@[\w-]+\.\w+/g) ?? []),
    ...(inBuckets.match(/\(\d{3}\) \d{3}-\d{4}/g) ?? []),
    ...[...artifacts].flatMap(([path, text]) => (path.endsWith('.csv') ? peopleIn(text) : [])),
    ...(inBuckets.match(/(?<="(?:full_name|flat_address|address_1)":")[^"]{8,}/g) ?? []),
  ]);
  expect(people.size).toBeGreaterThan(100);
  for (const places of [items, logs, executions, assembly]) expect(findIn(places, [...people])).toEqual([]);
});

import * as z from 'zod';
import { createRunFolders, type RunFolder } from '../../../../shared/runs/artifacts';
import { joinParts } from '../../../../shared/runs/join-parts';
import { createClients } from '../../support/clients';
import { createBucket } from '../../support/resources';

const clients = createClients();
let bucketName: string;
let folder: RunFolder;
beforeAll(async () => {
  bucketName = await createBucket(clients, 'artifacts');
  folder = createRunFolders(clients.s3, bucketName)('run-1');
});
afterAll(() => clients.destroy());

const uploadSchema = z.object({ UploadId: z.string() });
/** Uploads that were neither completed nor aborted. The embedded S3 cannot list them. */
const openUploads = new Set<string>();
clients.s3.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      const result = await next(args);
      if (commandName === 'CreateMultipartUploadCommand') openUploads.add(uploadSchema.parse(result.output).UploadId);
      if (commandName === 'CompleteMultipartUploadCommand' || commandName === 'AbortMultipartUploadCommand')
        openUploads.delete(uploadSchema.parse(args.input).UploadId);
      return result;
    },
  { step: 'initialize' },
);

test('a part is written once: a second write does not replace it', async () => {
  expect(await folder.putOnce('part.json', 'first')).toBe(true);
  expect(await folder.putOnce('part.json', 'second')).toBe(false);
  expect(await folder.readText('part.json')).toBe('first');
  expect(folder.keyOf('part.json')).toBe('runs/run-1/part.json');
});

test('a missing object is undefined, and a list contains only the objects of the run', async () => {
  expect(await folder.readText('missing.json')).toBeUndefined();
  for await (const _chunk of folder.readBytes('missing.json')) throw new Error('A missing object has bytes');
  await createRunFolders(clients.s3, bucketName)('run-10').putOnce('parts/x', '');
  await folder.putOnce('parts/a', '');
  expect([...(await folder.list('parts/'))]).toEqual(['parts/a']);
});

test('JSON is validated; an object that does not match the schema is a permanent error', async () => {
  const schema = z.object({ rows: z.number() });
  await folder.put('good.json', '{"rows":1}');
  await folder.put('bad.json', '{"rows":"one"}');
  expect(await folder.readJson('good.json', schema)).toEqual({ rows: 1 });
  expect(await folder.readJson('missing.json', schema)).toBeUndefined();
  await expect(folder.readJson('bad.json', schema)).rejects.toMatchObject({
    code: 'BAD_PAYLOAD',
    retryable: false,
    message: 'The part runs/run-1/bad.json cannot be read',
  });
});

describe('a writer', () => {
  const line = `${'ä'.repeat(500)}\n`;

  test.each([0, 1, 30_000])('of %s lines', async (count) => {
    const path = `lines-${count}.txt`;
    const writer = folder.openWriter(path);
    for (let written = 0; written < count; written++) await writer.write(line);
    await writer.close();
    let bytes = 0;
    for await (const chunk of folder.readBytes(path)) bytes += chunk.length;
    expect(bytes).toBe(count * Buffer.byteLength(line));
    expect([...openUploads]).toEqual([]);
  });

  test('that is aborted leaves no object', async () => {
    const writer = folder.openWriter('broken.txt');
    for (let written = 0; written < 20_000; written++) await writer.write(line);
    await writer.abort();
    expect(await folder.readText('broken.txt')).toBeUndefined();
    expect([...openUploads]).toEqual([]);
  });
});

describe('joinParts', () => {
  const textOf = (source: number): string => `\ufeff${source} ${'ä€😀'.repeat(90_000)}\n`;
  const sources = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const whole = `begin\n${sources.map(textOf).join('')}end\n`;

  /** Runs a turn that has time for `maxSources`, and that fails at `failingSource`. */
  const turn = (name: string, maxSources = Number.POSITIVE_INFINITY, failingSource?: number, targetFolder = folder) => {
    let timeChecks = 0;
    return joinParts({
      folder: targetFolder,
      cursorPath: `${name}.cursor.json`,
      files: { all: `${name}.txt`, few: `${name}.few.txt` },
      sources,
      schema: z.number(),
      begin: async ({ all }) => {
        await all.write('begin\n');
        return 0;
      },
      add: async (count, source, { all, few }) => {
        if (source === failingSource) throw new Error('no more');
        await all.write(textOf(source));
        if (source % 4 === 0) await few.write(`${source}\n`);
        return count + 1;
      },
      end: ({ all }) => all.write('end\n'),
      isTimeUp: () => ++timeChecks > maxSources,
    });
  };
  const expectWhole = async (name: string) => {
    expect((await folder.readText(`${name}.txt`)) === whole).toBe(true);
    expect(await folder.readText(`${name}.few.txt`)).toBe('4\n8\n');
    expect([...openUploads]).toEqual([]);
  };

  test.each([1, 4, 100])('joins %i sources per turn', async (maxSources) => {
    const name = `join-${maxSources}`;
    let turns = 0;
    for (let done = false; !done; turns++) {
      const joined = await turn(name, maxSources);
      ({ done } = joined);
      expect(joined.counts).toBe(Math.min(sources.length, (turns + 1) * maxSources));
      expect(await folder.readText(`${name}.txt`)).toBe(done ? whole : undefined);
    }
    expect(turns).toBe(Math.ceil(sources.length / maxSources));
    await expectWhole(name);
    expect(await turn(name, 0)).toEqual({ done: true, counts: 9 });
  });

  test('leaves no upload if its first turn fails', async () => {
    await expect(turn('failing', 100, 9)).rejects.toThrow('no more');
    expect([...openUploads]).toEqual([]);
    expect(await turn('failing')).toEqual({ done: true, counts: 9 });
    await expectWhole('failing');
  });

  test('keeps the upload for the next turn if a later turn fails', async () => {
    await turn('resumed', 8);
    expect(await folder.readText('resumed.cursor.json')).toContain('"uploadId":"');
    expect(openUploads.size).toBe(1);
    await expect(turn('resumed', 100, 9)).rejects.toThrow('no more');
    expect(openUploads.size).toBe(1);
    // A new start would not have time for all sources.
    expect(await turn('resumed', 1)).toEqual({ done: true, counts: 9 });
    await expectWhole('resumed');
  });

  test.each([1, 100])('joins %i sources per turn if the response to the last call is lost', async (maxSources) => {
    const name = `lost-response-${maxSources}`;
    let closed = 0;
    const openWriter: RunFolder['openWriter'] = (...args) => {
      const writer = folder.openWriter(...args);
      const close = async (): Promise<void> => {
        await writer.close();
        // Repeats the call, like the SDK.
        if (++closed === 1) await writer.close();
      };
      return { ...writer, close };
    };
    for (let done = false; !done; ) ({ done } = await turn(name, maxSources, undefined, { ...folder, openWriter }));
    expect(closed).toBeGreaterThan(2);
    await expectWhole(name);
  });

  test('completes if the process crashed after it had closed the files', async () => {
    await turn('closed', 8);
    const cursor = (await folder.readText('closed.cursor.json')) ?? '';
    await turn('closed');
    await folder.put('closed.cursor.json', cursor);
    expect(await turn('closed')).toEqual({ done: true, counts: 9 });
    await expectWhole('closed');
  });
});

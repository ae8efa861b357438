import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { PipelineError } from '../../../../shared/errors';
import { BodyPostponedError, readBody } from '../../../../shared/http/body';

const encoders = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync,
  identity: (bytes: Uint8Array) => Buffer.from(bytes),
};
type Coding = keyof typeof encoders;

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const read = (bytes: Buffer, contentEncoding?: string | string[], { maxBytes = 1_000, mayBeCut = false } = {}) =>
  readBody(inChunks(bytes, 7), contentEncoding, { api: 'qualia', maxBytes, mayBeCut });
const failureOf = (...args: Parameters<typeof read>): Promise<PipelineError> =>
  read(...args).then(
    () => {
      throw new Error('the body was read');
    },
    (error: PipelineError) => error,
  );

const text = Buffer.from('{"successCount":2,"failCount":0}');

test.each<[string | undefined, Buffer]>([
  [undefined, text],
  ['', text],
  ['identity', text],
  ['gzip', gzipSync(text)],
  ['GZip', gzipSync(text)],
  [' gzip ', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  ['br', brotliCompressSync(text)],
  ['deflate', deflateSync(text)],
  // Without the header and checksum of the zlib format.
  ['deflate', deflateRawSync(text)],
  ['gzip, br', brotliCompressSync(gzipSync(text))],
  ['gzip,,identity', gzipSync(text)],
])('a body with the content encoding %j is decoded', async (coding, bytes) => {
  expect((await read(bytes, coding)).toString()).toBe(text.toString());
});

test('two headers are read as one list', async () => {
  expect(await read(gzipSync(deflateSync(text)), ['deflate', 'gzip'])).toEqual(text);
});

test.each(['gzip', 'br', 'deflate', 'zstd', 'nonsense'])(
  'an empty body stays empty with the content encoding %s',
  async (coding) => {
    expect(await read(Buffer.alloc(0), coding)).toEqual(Buffer.alloc(0));
  },
);

test('property: any combination of content encodings and chunks decodes to the original bytes', async () => {
  const codings = fc.array(fc.constantFrom<Coding>('gzip', 'x-gzip', 'br', 'deflate', 'identity'), { maxLength: 4 });
  const bytes = fc.uint8Array({ maxLength: 900 });
  await fc.assert(
    fc.asyncProperty(bytes, codings, async (original, applied) => {
      const encoded = applied.reduce((body, coding) => encoders[coding](body), Buffer.from(original));
      const decoded = await read(encoded, applied.join(', '), { maxBytes: 10_000 });
      expect(decoded.equals(original)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test.each<[string, string]>([
  ['zstd', 'zstd'],
  ['compress', 'compress'],
  ['gzip, dcb', 'dcb'],
  ['x y\u0007', 'with no readable name'],
  ['a'.repeat(5_000), 'with no readable name'],
])('an unknown content encoding is a retryable error that names it: %j', async (coding, name) => {
  expect(await failureOf(text, coding)).toMatchObject({
    code: 'BAD_ANSWER',
    retryable: true,
    api: 'qualia',
    message: `The qualia API answered in a content encoding that we cannot decode (${name})`,
  });
});

test('too many content encodings are rejected', async () => {
  const five = Array.from({ length: 5 }, () => 'gzip');
  const body = five.reduce((bytes) => gzipSync(bytes), text);
  expect(await failureOf(body, five.join())).toMatchObject({ code: 'BAD_ANSWER', retryable: true });
});

test.each<[string, Buffer]>([
  ['gzip', text],
  ['br', text],
  ['deflate', text],
  ['gzip', gzipSync(text).subarray(0, -9)],
  ['br', brotliCompressSync(text).subarray(0, -3)],
  ['gzip', deflateSync(text)],
])('bytes that are not %s, as declared, are a retryable error', async (coding, bytes) => {
  expect(await failureOf(bytes, coding)).toMatchObject({
    code: 'BAD_ANSWER',
    retryable: true,
    message: `The qualia API answered bytes that are not ${coding}, as its content encoding says`,
  });
});

describe('the limit', () => {
  const zeros = Buffer.alloc(1_001);
  const tooLarge = { code: 'BAD_ANSWER', retryable: false, message: 'The qualia API answered more than 1000 bytes' };

  test.each<[string | undefined, Buffer]>([
    [undefined, zeros],
    ['gzip', gzipSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['deflate', deflateRawSync(zeros)],
    // Too large after the first decoding, although the result is small.
    ['gzip, deflate', deflateSync(Buffer.concat([gzipSync(text), zeros]))],
  ])('applies to the decoded bytes (%s)', async (coding, bytes) => {
    expect(await failureOf(bytes, coding)).toMatchObject(tooLarge);
    expect(await read(bytes, coding, { maxBytes: 1_100 })).toBeInstanceOf(Buffer);
  });

  test('stops a decompression bomb', async () => {
    const inner = gzipSync(Buffer.alloc(64 * 1_024 * 1_024));
    const bomb = gzipSync(Buffer.concat(Array.from({ length: 16 }, () => inner)));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await failureOf(bomb, 'gzip, gzip', { maxBytes: 4 * 1_024 * 1_024 })).toMatchObject({
      code: 'BAD_ANSWER',
      retryable: false,
    });
  });

  test('is the length to which a body is truncated, if that is allowed', async () => {
    expect(await read(zeros, undefined, { mayBeCut: true })).toEqual(zeros.subarray(0, 1_000));
    expect(await read(text, undefined, { mayBeCut: true })).toEqual(text);
  });

  test('ends the reading of a body that never ends', async () => {
    const endless = async function* () {
      for (;;) yield Buffer.alloc(100);
    };
    const options = { api: 'qualia', maxBytes: 1_000, mayBeCut: false } as const;
    await expect(readBody(endless(), undefined, options)).rejects.toMatchObject(tooLarge);
    expect(await readBody(endless(), undefined, { ...options, mayBeCut: true })).toHaveLength(1_000);
  });
});

describe('with limited memory', () => {
  const smallBytes = 64;
  const maxBytes = 1_000;
  /** Reads a body and returns its length, or what it could not reserve, and the sizes that it asked for. */
  const readWithin = async (freeBytes: number, bytes: Buffer, contentEncoding?: string, contentLength?: string) => {
    const asked: number[] = [];
    const memory = { smallBytes, tryReserve: (size: number) => asked.push(size) > 0 && size <= freeBytes };
    const options = { api: 'qualia', maxBytes, mayBeCut: false, contentLength, memory } as const;
    const outcome = await readBody(inChunks(bytes, 7), contentEncoding, options).then(
      (body) => body.length,
      (error: unknown) => {
        if (error instanceof BodyPostponedError) return { postponed: error.bytes };
        throw error;
      },
    );
    return { outcome, asked };
  };
  const long = Buffer.from('long'.repeat(100));
  const short = long.subarray(0, smallBytes);

  test.each<[string, Buffer, string | undefined, string | undefined]>([
    ['of known length', short, undefined, '64'],
    ['of unknown length', short, undefined, undefined],
    ['compressed', gzipSync(short), 'gzip', undefined],
  ])('a small body is read without a reservation: %s', async (_, bytes, coding, length) => {
    expect(await readWithin(0, bytes, coding, length)).toEqual({ outcome: 64, asked: [] });
  });

  test.each<[string, Buffer, string | undefined, string | undefined, number]>([
    ['its length', long, undefined, '400', 400],
    ['the maximum, if its length is unknown', long, undefined, undefined, maxBytes],
    ['the maximum, if its length is not a number', long, undefined, '0x9', maxBytes],
    ['the maximum, if it is compressed', gzipSync(long), 'gzip', '9', maxBytes],
    ['the maximum, if it is long although compressed', brotliCompressSync(randomBytes(400)), 'br', '405', maxBytes],
  ])('a large body reserves once: %s', async (_, bytes, coding, length, size) => {
    expect(await readWithin(maxBytes, bytes, coding, length)).toEqual({ outcome: 400, asked: [size] });
    expect(await readWithin(size - 1, bytes, coding, length)).toEqual({ outcome: { postponed: size }, asked: [size] });
  });

  test('a postponed body is closed', async () => {
    let isClosed = false;
    const body = (async function* () {
      try {
        for (;;) yield long;
      } finally {
        isClosed = true;
      }
    })();
    const memory = { smallBytes, tryReserve: () => false };
    const read = readBody(body, undefined, { api: 'qualia', maxBytes, mayBeCut: false, memory });
    await expect(read).rejects.toBeInstanceOf(BodyPostponedError);
    expect(isClosed).toBe(true);
  });

  test('a body that is too large stays an error, with or without a content encoding', async () => {
    const tooLong = Buffer.alloc(maxBytes + 1);
    await expect(readWithin(maxBytes, tooLong)).rejects.toMatchObject({ code: 'BAD_ANSWER', retryable: false });
    await expect(readWithin(maxBytes, gzipSync(tooLong), 'gzip')).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});

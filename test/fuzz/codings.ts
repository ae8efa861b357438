import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

const encoders = {
  gzip: (bytes: Buffer) => gzipSync(bytes),
  br: (bytes: Buffer) => brotliCompressSync(bytes),
  deflate: (bytes: Buffer) => deflateSync(bytes),
  'deflate ': (bytes: Buffer) => deflateRawSync(bytes),
  'gzip, br': (bytes: Buffer) => brotliCompressSync(gzipSync(bytes)),
  zstd: (bytes: Buffer) => bytes,
  'gzip,gzip,gzip,gzip,gzip': (bytes: Buffer) => bytes,
} as const;

/** Values of a `content-encoding` header. The last two cannot be decoded. */
export type Coding = keyof typeof encoders;
export const codings = Object.keys(encoders) as Coding[];

let newest: { readonly bytes: Buffer; readonly coding: Coding; readonly encoded: Buffer } | undefined;

/** Keeps the newest result: a slow input is run again, and the time of our own encoding must not count as its time. */
export const encode = (bytes: Buffer, coding: Coding | undefined): Buffer => {
  if (coding === undefined) return bytes;
  if (newest?.coding !== coding || !newest.bytes.equals(bytes)) {
    newest = { bytes, coding, encoded: encoders[coding](bytes) };
  }
  return newest.encoded;
};

/** Occasionally compressed. */
export const anyCoding: fc.Arbitrary<Coding | undefined> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...codings) },
);

import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

/** With the fastest quality: the default takes seconds for a large input. */
const compressBrotli = (bytes: Buffer): Buffer =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY } });

const encoders = {
  gzip: (bytes: Buffer) => gzipSync(bytes),
  br: compressBrotli,
  deflate: (bytes: Buffer) => deflateSync(bytes),
  'deflate ': (bytes: Buffer) => deflateRawSync(bytes),
  'gzip, br': (bytes: Buffer) => compressBrotli(gzipSync(bytes)),
  zstd: (bytes: Buffer) => bytes,
  'gzip,gzip,gzip,gzip,gzip': (bytes: Buffer) => bytes,
} as const;

/** Values of a `content-encoding` header. The last two cannot be decoded. */
export type Coding = keyof typeof encoders;
export const codings = Object.keys(encoders) as Coding[];

export const encode = (bytes: Buffer, coding: Coding | undefined): Buffer =>
  coding === undefined ? bytes : encoders[coding](bytes);

/** Occasionally a coding, otherwise undefined. */
export const anyCoding: fc.Arbitrary<Coding | undefined> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...codings) },
);

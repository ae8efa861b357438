/** The body of an object, as the SDK returns it: a stream with methods that read all of it. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { createCrc32 } from './crc32';

const createSha = (algorithm: string) => {
  const sha = createHash(algorithm);
  return { update: (data: Uint8Array): void => void sha.update(data), digest: (): string => sha.digest('base64') };
};

/** The checksums that this client can compute. S3's CRC32C and CRC64NVME are not checked. */
const checksums = {
  'x-amz-checksum-crc32': createCrc32,
  'x-amz-checksum-sha1': () => createSha('sha1'),
  'x-amz-checksum-sha256': () => createSha('sha256'),
} as const;

/** A stream that fails at its end if the object is not the one that was stored. */
const checked = (source: IncomingMessage, headers: IncomingHttpHeaders): Readable => {
  for (const [header, create] of Object.entries(checksums)) {
    const expected = headers[header]?.toString();
    // An object of several parts has a checksum of checksums, with their number after a dash.
    if (!expected || expected.includes('-')) continue;
    const checksum = create();
    const check = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        checksum.update(chunk);
        done(null, chunk);
      },
      flush: (done) => {
        const received = checksum.digest();
        const message = `Checksum mismatch: expected "${expected}" but received "${received}" in response header "${header}".`;
        done(received === expected ? null : new Error(message));
      },
    });
    // Not `pipeline`, whose end costs as much as a third of the call. An error reaches the reader of `check`; without a
    // reader, it must not end the process.
    source.on('error', (error) => check.destroy(error));
    check.on('error', () => undefined).on('close', () => source.destroy());
    return source.pipe(check);
  }
  return source;
};

/** The methods that the SDK adds to the stream of a body. */
export interface ReadableBody extends Readable {
  transformToByteArray(): Promise<Uint8Array>;
  transformToString(encoding?: BufferEncoding): Promise<string>;
}

/** @throws Error while it is read: the connection was lost, or the checksum does not match */
export const readableBody = (source: IncomingMessage, headers: IncomingHttpHeaders): ReadableBody => {
  const stream = checked(source, headers);
  const read = async (): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return Object.assign(stream, {
    transformToByteArray: async () => {
      const { buffer, byteOffset, byteLength } = await read();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    transformToString: async (encoding?: BufferEncoding) => (await read()).toString(encoding),
  });
};

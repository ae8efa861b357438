import { crc32 } from 'node:zlib';

/** A CRC32, in base64, as S3 writes it. */
export const createCrc32 = () => {
  let value = 0;
  return {
    update: (data: Uint8Array): void => {
      value = crc32(data, value);
    },
    digest: (): string => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes.toString('base64');
    },
  };
};

/** The CRC32 of a body, in base64. */
export const crc32Of = (body: string | Uint8Array): string => {
  const checksum = createCrc32();
  checksum.update(Buffer.from(body));
  return checksum.digest();
};

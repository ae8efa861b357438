/**
 * Replaces `@smithy/core/checksum` in bundles by digests of Node's crypto. The SDK has JavaScript versions of them (6 kB) for
 * builds of Node without crypto, and checks for MD5 at every start (1 ms).
 */
import { type BinaryLike, createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

const digestBy = (algorithm: string) =>
  /** A digest (with a secret, an HMAC) of all data given to `update` since the start or the last `reset`. */
  class {
    readonly #begin: () => Hash | Hmac;
    #hash: Hash | Hmac;

    constructor(secret?: BinaryLike) {
      this.#begin = () => (secret === undefined ? createHash(algorithm) : createHmac(algorithm, secret));
      this.#hash = this.#begin();
    }

    update(data: BinaryLike): void {
      this.#hash.update(data);
    }

    async digest(): Promise<Uint8Array> {
      return this.#hash.digest();
    }

    reset(): void {
      this.#hash = this.#begin();
    }
  };

/** Signs requests, and checks what S3 stores. */
export const Sha256 = digestBy('sha256');

/** Checks what SQS received. */
export const Md5 = digestBy('md5');

/** Sent to S3 with an object that has no other checksum. */
export class Crc32 {
  readonly digestLength = 4;
  #value = 0;

  update(data: Uint8Array): void {
    this.#value = crc32(data, this.#value);
  }

  async digest(): Promise<Uint8Array> {
    const bytes = Buffer.alloc(this.digestLength);
    bytes.writeUInt32BE(this.#value);
    return bytes;
  }

  reset(): void {
    this.#value = 0;
  }
}

/** @throws Error always: our code sends no stream without a checksum to S3 */
export const readableStreamHasher = (): never => {
  throw new Error('This bundle cannot compute the checksum of a stream.');
};

// `@aws-sdk/checksums` re-exports these under all of their names.
export { Crc32 as Crc32Js, Crc32 as Crc32Node, Md5 as Md5Js, Md5 as Md5Node, Sha256 as Sha256Js, Sha256 as Sha256Node };

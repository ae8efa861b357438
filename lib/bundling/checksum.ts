/**
 * Stands in for `@smithy/core/checksum` in a bundle: digests by Node's own crypto. The SDK carries JavaScript forms of
 * them (6 kB) for a Node that was built without, and tries out MD5 at every start to find out (1 ms).
 */
import { type BinaryLike, createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

const digestBy = (algorithm: string) =>
  /** A digest, or with a secret an HMAC, of all that `update` was given since the start or the last `reset`. */
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

/** Signs requests, and checks what S3 keeps. */
export const Sha256 = digestBy('sha256');

/** Checks what SQS received. */
export const Md5 = digestBy('md5');

/** What S3 is sent with an object that comes without a checksum. */
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

/** @throws Error always: a stream without a checksum was sent to S3, which nobody here does */
export const readableStreamHasher = (): never => {
  throw new Error('This bundle cannot compute the checksum of a stream.');
};

// `@aws-sdk/checksums` passes these on under all of their names.
export { Crc32 as Crc32Js, Crc32 as Crc32Node, Md5 as Md5Js, Md5 as Md5Node, Sha256 as Sha256Js, Sha256 as Sha256Node };

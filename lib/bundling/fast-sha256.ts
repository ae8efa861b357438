/**
 * Replaces `fast-sha256` in bundles, as far as `standardwebhooks` uses it: Node's HMAC is native, that of the package is
 * 6 kB of JavaScript.
 */
import { createHmac } from 'node:crypto';

/** HMAC-SHA256 of `message`, 32 bytes. */
export const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();

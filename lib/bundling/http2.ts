/**
 * Replaces `node:http2` in bundles: undici loads it at its start, for 3 ms, and our pools use HTTP/1.1. Without its
 * constants, undici works as in a Node that was built without HTTP/2.
 */
export const constants = {};

/** @throws Error always: a pool with `allowH2` was created */
export const connect = (): never => {
  throw new Error('This bundle does not contain HTTP/2.');
};

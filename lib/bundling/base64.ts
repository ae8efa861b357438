/** Replaces `@stablelib/base64` in bundles, as far as `standardwebhooks` uses it: Node has its own base64. */

const padded = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Standard base64, padded. */
export const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** @throws Error if `text` is not padded standard base64: Node alone skips invalid characters */
export const decode = (text: string): Uint8Array => {
  if (!padded.test(text)) throw new Error('The text is not base64.');
  return Buffer.from(text, 'base64');
};

/** Parses JSON, from text or from UTF-8 bytes. `undefined` when it is none: the parser's own error quotes the input. */
export const parseJson = (source: string | Uint8Array): unknown => {
  try {
    return JSON.parse(typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source));
  } catch {
    return undefined;
  }
};

const decode = (source: string | Uint8Array): string =>
  typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source);

/** Parses JSON, from text or from UTF-8 bytes. `undefined` when it is none: the parser's own error quotes the input. */
export const parseJson = (source: string | Uint8Array): unknown => {
  try {
    return JSON.parse(decode(source));
  } catch {
    return undefined;
  }
};

const quotationMark = 0x22;
const minus = 0x2d;
const backslash = 0x5c;
/** Every integer of so many digits is exact as a double, and is printed as it was written. */
const exactDigits = 15;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** Digits, `+`, `-`, `.`, `E`, `e`. */
const isInNumber = (code: number): boolean =>
  isDigit(code) || code === 0x2b || code === minus || code === 0x2e || code === 0x45 || code === 0x65;

/** The position after the string that begins at `start`. */
const endOfString = (json: string, start: number): number => {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = end;
    while (json.charCodeAt(escapes - 1) === backslash) escapes--;
    if ((end - escapes) % 2 === 0) return end + 1;
  }
  return json.length;
};

/** Makes a string of each number in valid JSON that is not a safe integer, or is written in an unusual way. */
const quoteInexactNumbers = (json: string): string => {
  const pieces: string[] = [];
  let copied = 0;
  let position = 0;
  while (position < json.length) {
    const start = position;
    const code = json.charCodeAt(start);
    if (code === quotationMark) {
      position = endOfString(json, start);
      continue;
    }
    position++;
    if (code !== minus && !isDigit(code)) continue;
    while (isDigit(json.charCodeAt(position))) position++;
    const isPlain = code !== minus && position - start <= exactDigits && !isInNumber(json.charCodeAt(position));
    if (isPlain) continue;
    while (isInNumber(json.charCodeAt(position))) position++;
    const number = json.slice(start, position);
    if (Number.isSafeInteger(Number(number)) && String(Number(number)) === number) continue;
    pieces.push(json.slice(copied, start), `"${number}"`);
    copied = position;
  }
  return copied === 0 ? json : pieces.join('') + json.slice(copied);
};

/**
 * Parses JSON as {@link parseJson} does, but gives every number other than a safe integer as the text that was written:
 * `9007199254740993`, `12.50`, `1e3`. So `String()` of any number in the result is what was received.
 *
 * By hand, because the reviver of `JSON.parse`, which is given the source text too, takes 20 times as long and overflows
 * the stack on deep nesting.
 *
 * @param parsed what `parseJson` gives for the same source
 */
export const parseJsonAsWritten = (source: string | Uint8Array, parsed: unknown = parseJson(source)): unknown => {
  if (parsed === undefined) return undefined;
  const json = decode(source);
  const quoted = quoteInexactNumbers(json);
  return quoted === json ? parsed : JSON.parse(quoted);
};

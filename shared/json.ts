const decode = (source: string | Uint8Array): string =>
  typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source);

/** Parses JSON from text or UTF-8 bytes. Returns `undefined` for invalid JSON, because the parser's error quotes the input. */
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
/** An integer of up to this many digits is exact as a double, and prints as it was written. */
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

/** Quotes each number in valid JSON that is not a safe integer, or that prints differently from how it was written. */
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
 * Parses JSON like {@link parseJson}, but returns every number other than a safe integer as the text that was received:
 * `9007199254740993`, `12.50`, `1e3`. So `String()` of any number in the result equals the received text.
 *
 * The reviver of `JSON.parse` also gets the source text, but takes 20 times as long and overflows the stack on deep
 * nesting.
 *
 * @param parsed result of `parseJson` for the same source
 */
export const parseJsonAsWritten = (source: string | Uint8Array, parsed: unknown = parseJson(source)): unknown => {
  if (parsed === undefined) return undefined;
  const json = decode(source);
  const quoted = quoteInexactNumbers(json);
  return quoted === json ? parsed : JSON.parse(quoted);
};

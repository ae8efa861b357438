const maxLength = 4_000;

const printable = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('latin1') };
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, printable(entry)]));
};

/** Formats an input for a terminal or a log: as ASCII, with bytes as latin1, truncated to a maximum length. */
export const toAscii = (input: unknown): string => {
  const text = (JSON.stringify(printable(input)) ?? 'undefined').replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length} characters)` : text;
};

/**
 * A cell that a spreadsheet may run as a formula. An importer may trim white space and characters that nobody sees (line
 * feed, no-break space, zero-width space, byte order mark) before the sign, and an East Asian one reads the full-width
 * and small forms of the signs. A tab, CR or LF at the start is guarded whatever follows.
 */
const formulaStart = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*[=+\-@＝＋－＠﹦﹢﹣﹫])/u;

/** Makes a cell harmless that a spreadsheet may run as a formula: it gets a leading `'` (docs/contracts/netlife.md). */
export const guardFormula = (cell: string): string => (formulaStart.test(cell) ? `'${cell}` : cell);

/** Semicolon and tab are included for programs that split at them too, as LibreOffice does by default. */
const needsQuotes = /[",;\t\r\n]/;

/** One line of CSV by RFC 4180, ended by LF. A cell with a separator, a quote or a line break is quoted. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;

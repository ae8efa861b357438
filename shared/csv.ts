/**
 * Matches a cell that a spreadsheet may run as a formula. Importers may trim white space and invisible characters (line
 * feed, no-break space, zero-width space, byte order mark) before the sign, and East Asian ones accept the full-width
 * and small forms of the signs. A leading tab, CR or LF is always guarded.
 */
const formulaStart = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*[=+\-@＝＋－＠﹦﹢﹣﹫])/u;

/** Prefixes a cell that a spreadsheet may run as a formula with `'` (docs/contracts/netlife.md). */
export const guardFormula = (cell: string): string => (formulaStart.test(cell) ? `'${cell}` : cell);

/** Takes the prefix of {@link guardFormula} off again. */
export const unguardFormula = (cell: string): string =>
  cell.startsWith("'") && formulaStart.test(cell.slice(1)) ? cell.slice(1) : cell;

/** Includes semicolon and tab, at which some programs also split; LibreOffice does so by default. */
const needsQuotes = /[",;\t\r\n]/;

/** One line of CSV (RFC 4180), terminated by LF. A cell with a separator, a quote or a line break is quoted. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;

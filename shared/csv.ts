/** A cell that a spreadsheet would run as a formula. */
const formulaStart = /^[=+\-@\t\r]/;

/** Takes the harm out of a cell that a spreadsheet would run as a formula: it gets a leading `'`. */
export const guardFormula = (cell: string): string => (formulaStart.test(cell) ? `'${cell}` : cell);

/** One line of CSV by RFC 4180, ended by LF: a cell with a comma, a quote or a line break is quoted. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;

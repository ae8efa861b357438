/** Parses CSV by RFC 4180, as a spreadsheet does, with LF line ends; undefined if it is invalid. */
export const readCsv = (text: string): readonly (readonly string[])[] | undefined => {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) return undefined;
    const [, quoted, bare = '', end] = match;
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return row.length === 0 ? rows : undefined;
};

/** The two formats of phone numbers in the contacts file, which can begin with `+`. */
const phone = /^(\+1 \(\d{3}\) \d{3}-\d{4}|\+[2-9]\d{9,14})$/;
/** The cell after an importer has trimmed it. */
const trimmed = (cell: string): string => cell.replace(/^[\s\p{Z}\p{Cc}\p{Cf}]+/u, '');
const isFormula = (cell: string): boolean =>
  (/^[\t\r\n]/.test(cell) || /^[=+\-@＝＋－＠﹦﹢﹣﹫]/.test(trimmed(cell))) && !phone.test(cell);

/** The faults of a CSV file that people open: rows whose length differs from the header's, and cells that run as formulas. */
export const csvFaults = (text: string): readonly string[] => {
  const table = readCsv(text);
  if (table === undefined) return ['it is not CSV'];
  const [header = [], ...rows] = table;
  return [
    ...(rows.every((row) => row.length === header.length) ? [] : ['the length of a row differs from the header']),
    ...(rows.flat().some(isFormula) ? ['a cell would run as a formula'] : []),
  ];
};

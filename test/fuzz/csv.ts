/** Reads CSV by RFC 4180, as a spreadsheet does, each line ended by LF; nothing when it is none. */
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

/** The two forms in which the contacts file has phone numbers, and in which they may begin with `+`. */
const phone = /^(\+1 \(\d{3}\) \d{3}-\d{4}|\+[2-9]\d{9,14})$/;
/** As an importer that trims a cell sees it. */
const trimmed = (cell: string): string => cell.replace(/^[\s\p{Z}\p{Cc}\p{Cf}]+/u, '');
const isFormula = (cell: string): boolean =>
  (/^[\t\r\n]/.test(cell) || /^[=+\-@＝＋－＠﹦﹢﹣﹫]/.test(trimmed(cell))) && !phone.test(cell);

/** What is wrong with a CSV file that people open: rows of another length than its header, and cells that would run. */
export const csvFaults = (text: string): readonly string[] => {
  const table = readCsv(text);
  if (table === undefined) return ['it is no CSV'];
  const [header = [], ...rows] = table;
  return [
    ...(rows.every((row) => row.length === header.length) ? [] : ['a row has another length than the header']),
    ...(rows.flat().some(isFormula) ? ['a cell would run as a formula'] : []),
  ];
};

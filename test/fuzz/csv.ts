import { formatPhone } from '../../shared/netlife/phone';

/** Reads CSV by RFC 4180, as a spreadsheet does. */
export const readCsv = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n|$)/gy;
  for (let match = cell.exec(text); match !== null && cell.lastIndex <= text.length; match = cell.exec(text)) {
    const [whole, quoted, bare = '', end] = match;
    if (whole === '') break;
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
    if (end === '') break;
  }
  return rows;
};

/** What is wrong with a CSV file that people open: rows of another length than its header, and cells that would run. */
export const csvFaults = (text: string): readonly string[] => {
  const [header = [], ...rows] = readCsv(text);
  const isFormula = (value: string) => /^[=+\-@\t\r]/.test(value) && formatPhone(value) !== value;
  return [
    ...(rows.every((row) => row.length === header.length) ? [] : ['a row has another length than the header']),
    ...(rows.flat().some(isFormula) ? ['a cell would run as a formula'] : []),
  ];
};

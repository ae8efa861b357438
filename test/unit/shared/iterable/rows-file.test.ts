import * as fc from 'fast-check';
import { guardFormula } from '../../../../shared/csv';
import { rejectedCsv } from '../../../../shared/iterable/report';
import { type SourceRow, sourceColumns, toSourceRow } from '../../../../shared/iterable/rows';
import { readRowsFile } from '../../../../shared/iterable/rows-file';

const rowsInBytes = async (file: Uint8Array): Promise<SourceRow[]> => {
  async function* pieces() {
    yield file;
  }
  const rows: SourceRow[] = [];
  for await (const one of readRowsFile(pieces())) rows.push(one);
  return rows;
};
const rowsIn = (text: string) => rowsInBytes(new TextEncoder().encode(text));

const header = sourceColumns.join(',');
const row = (change: Partial<SourceRow>): SourceRow => ({ ...toSourceRow(() => null), ...change });

test('reads what the reports contain, without their columns about the failure', async () => {
  // A cell that begins with ' and a sign is indistinguishable from a guarded one.
  const cell = fc
    .string({ unit: fc.constantFrom('a', ' ', '"', ',', '\n', '=', '-', '@', 'ü'), minLength: 1 })
    .filter((text) => !text.startsWith("'"));
  const anyRow = fc
    .array(fc.option(cell), { minLength: sourceColumns.length, maxLength: sourceColumns.length })
    .map((cells) => toSourceRow((column) => cells[sourceColumns.indexOf(column)] ?? null));
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 4 }), async (rows) => {
      const lines = rows.map((one) => rejectedCsv.line({ row: one, reason: '=reason' }));
      expect(await rowsIn(rejectedCsv.header + lines.join(''))).toEqual(rows);
    }),
    { numRuns: 200 },
  );
});

test('accepts the columns in any order', async () => {
  const columns = sourceColumns.toReversed();
  const cells = columns.map((column) =>
    column === 'id' ? '7' : column === 'email' ? guardFormula('=a@b.example') : '',
  );
  expect(await rowsIn(`${columns.join(',')}\n${cells.join(',')}\n`)).toEqual([row({ id: '7', email: '=a@b.example' })]);
});

test.each([
  ['an empty file', '', 'it is missing or empty'],
  [
    'wrong columns, all of which it names',
    'id,id,email,colour\n',
    'the column id exists twice; the column "colour" is unknown; the column first_name is missing; ' +
      'the column last_name is missing; the column plan_type is missing; the column candidate is missing; ' +
      'the column page is missing; the column device is missing; the column browser is missing; ' +
      'the column location is missing; the column event_time is missing',
  ],
  [
    'a record with too few cells',
    `${header}\n${','.repeat(10)}\nada@example.com\n`,
    'record 3 has 1 cells instead of 11',
  ],
])('refuses %s', async (_case, text, fault) => {
  await expect(rowsIn(text)).rejects.toMatchObject({
    code: 'BAD_PAYLOAD',
    retryable: false,
    message: `The file of rows cannot be used: ${fault}`,
  });
});

test('refuses a file that is not UTF-8', async () => {
  const latin1 = Uint8Array.of(...new TextEncoder().encode(`${header}\n`), 0xfc);
  await expect(rowsInBytes(latin1)).rejects.toThrow('it is not UTF-8');
});

import * as fc from 'fast-check';
import { csvLine } from '../../../shared/csv';
import { readCsvRecords } from '../../../shared/csv-records';

const recordsOf = async (text: string, chunkBytes: number): Promise<(readonly string[])[]> => {
  const bytes = new TextEncoder().encode(text);
  async function* chunks() {
    for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
  }
  const records: (readonly string[])[] = [];
  for await (const record of readCsvRecords(chunks())) records.push(record);
  return records;
};

test('reads every record that our reports contain, whatever their cells and chunks', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\t', 'ü', '😀') });
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 7 }), async (written, chunkBytes) => {
      const text = csvLine(['a', 'b']) + written.map(csvLine).join('');
      expect(await recordsOf(text, chunkBytes)).toEqual([['a', 'b'], ...written]);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['an empty file has no records', '', []],
  [
    'the last line may lack its line break',
    'a,b\n1,2',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a byte order mark is no part of the first cell',
    '\uFEFFa,b\r\n1,2\r\n',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  ['a last quoted cell may end the file', 'a\n"1,2"', [['a'], ['1,2']]],
])('%s', async (_case, text, expected) => {
  expect(await recordsOf(text, 1)).toEqual(expected);
});

test('bytes that are not UTF-8 are refused', async () => {
  async function* latin1() {
    yield Uint8Array.of(0x61, 0xfc, 0x0a);
  }
  await expect(readCsvRecords(latin1()).next()).rejects.toMatchObject({ code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
});

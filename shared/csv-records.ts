/**
 * Reads the records of a CSV file (RFC 4180) from its bytes, the header first. Holds one chunk and one record. A byte
 * order mark and a missing last line break are accepted: spreadsheets write the one and leave out the other.
 *
 * @param bytes the file in pieces
 * @throws {TypeError} `ERR_ENCODING_INVALID_ENCODED_DATA` if the bytes are not UTF-8
 */
export async function* readCsvRecords(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  /** Whether the last character was a quote inside of a quoted cell: its end, or the first of two. */
  let isPending = false;
  const endCell = (): void => {
    cells.push(cell);
    cell = '';
  };
  for await (const chunk of bytes) {
    for (const character of decoder.decode(chunk, { stream: true })) {
      if (isPending) {
        isPending = false;
        if (character === '"') {
          cell += '"';
          continue;
        }
        isQuoted = false;
      }
      if (isQuoted) {
        if (character === '"') isPending = true;
        else cell += character;
      } else if (character === '"') {
        isQuoted = true;
      } else if (character === ',') {
        endCell();
      } else if (character === '\n') {
        endCell();
        yield cells;
        cells = [];
      } else if (character !== '\r') {
        cell += character;
      }
    }
  }
  decoder.decode();
  if (cells.length === 0 && cell === '') return;
  endCell();
  yield cells;
}

import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as z from 'zod';
import { parseState } from '../../emulator/state-files';

/** The position of an entry in the journal's file. */
export interface Position {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** An append-only file of JSON lines that survives a kill of its process. */
export interface Journal<Entry> {
  /**
   * When this returns, the operating system has the entry, so a kill does not lose it.
   *
   * @throws if the disk is full; the journal is then unchanged
   */
  append(entry: Entry): Position;
  read(position: Position): Entry;
  close(): void;
}

/**
 * Opens a journal, or creates it and its folder, and replays its entries, oldest first. A last line without its end,
 * left by a process that was killed, is cut off.
 *
 * @throws {StateError} if an entry is not what `schema` describes
 */
export const openJournal = <Entry>(
  path: string,
  schema: z.ZodType<Entry>,
  replay: (entry: Entry, position: Position) => void,
): Journal<Entry> => {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+');
  const content = readFileSync(file);
  const parse = (line: string) =>
    parseState(path, line, schema, 'Delete it: the simulator then has no orders, or restore it from a copy.');
  let endBytes = 0;
  for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, endBytes)) {
    const position = { offsetBytes: endBytes, lengthBytes: end - endBytes };
    replay(parse(content.toString('utf8', endBytes, end)), position);
    endBytes = end + 1;
  }
  if (endBytes < content.length) ftruncateSync(file, endBytes);

  return {
    append: (entry) => {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      try {
        for (let written = 0; written < line.length; written += writeSync(file, line, written));
      } catch (error) {
        ftruncateSync(file, endBytes);
        throw error;
      }
      const position = { offsetBytes: endBytes, lengthBytes: line.length - 1 };
      endBytes += line.length;
      return position;
    },
    read: ({ offsetBytes, lengthBytes }) => {
      const line = Buffer.alloc(lengthBytes);
      readSync(file, line, 0, lengthBytes, offsetBytes);
      return parse(line.toString());
    },
    close: () => closeSync(file),
  };
};

import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where an entry lies in the journal's file. */
export interface Position {
  offsetBytes: number;
  lengthBytes: number;
}

/** An append-only file of JSON lines that outlives its process, however that ends. */
export interface Journal {
  /** The entry is with the operating system when this returns: `kill -9` no longer loses it. */
  append(entry: unknown): Position;
  read(position: Position): unknown;
  close(): void;
}

/**
 * Opens a journal, makes it and its folder when missing, and replays what it holds, oldest entry first.
 * A last line without its end, left by a process that died writing it, is cut off.
 *
 * @throws when the file cannot be opened or a whole line is not JSON
 */
export const openJournal = (path: string, replay: (entry: unknown, position: Position) => void): Journal => {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+');
  const content = readFileSync(file);
  let endBytes = 0;
  for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, endBytes)) {
    const position = { offsetBytes: endBytes, lengthBytes: end - endBytes };
    replay(JSON.parse(content.toString('utf8', endBytes, end)), position);
    endBytes = end + 1;
  }
  if (endBytes < content.length) ftruncateSync(file, endBytes);

  return {
    append: (entry) => {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      for (let written = 0; written < line.length; written += writeSync(file, line, written));
      const position = { offsetBytes: endBytes, lengthBytes: line.length - 1 };
      endBytes += line.length;
      return position;
    },
    read: ({ offsetBytes, lengthBytes }) => {
      const line = Buffer.alloc(lengthBytes);
      readSync(file, line, 0, lengthBytes, offsetBytes);
      return JSON.parse(line.toString());
    },
    close: () => closeSync(file),
  };
};

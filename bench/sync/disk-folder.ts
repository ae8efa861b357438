import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../shared/json';
import type { RunFolder } from '../../shared/runs/artifacts';

const bufferedCharacters = 1_000_000;

/** A run's folder on the disk, in place of S3. */
export const diskFolder = (root: string): RunFolder => {
  const fileOf = (object: string): string => {
    const file = path.join(root, object);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  const readText = async (object: string): Promise<string | undefined> =>
    existsSync(fileOf(object)) ? readFileSync(fileOf(object), 'utf8') : undefined;
  return {
    keyOf: (object) => object,
    put: async (object, body) => writeFileSync(fileOf(object), body),
    putOnce: async (object, body) => {
      if (existsSync(fileOf(object))) return false;
      writeFileSync(fileOf(object), body);
      return true;
    },
    list: async (prefix) => {
      const folder = fileOf(prefix);
      return new Set(existsSync(folder) ? readdirSync(folder).map((name) => prefix + name) : []);
    },
    readText,
    readJson: async (object, schema) => {
      const text = await readText(object);
      return text === undefined ? undefined : schema.parse(parseJson(text));
    },
    async *readBytes(object) {
      yield readFileSync(fileOf(object));
    },
    openWriter: (object) => {
      let buffer = '';
      const flush = (): void => {
        appendFileSync(fileOf(object), buffer);
        buffer = '';
      };
      return {
        write: async (text) => {
          buffer += text;
          if (buffer.length > bufferedCharacters) flush();
        },
        close: async () => flush(),
        abort: async () => undefined,
        pause: () => ({ etags: [], rest: buffer }),
      };
    },
  };
};

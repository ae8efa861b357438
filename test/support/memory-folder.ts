import { parseJson } from '../../shared/json';
import type { RunFolder } from '../../shared/runs/artifacts';

const encoder = new TextEncoder();

/** A run's folder in memory, for small objects. */
export const memoryFolder = () => {
  const objects = new Map<string, string>();
  const folder: RunFolder = {
    keyOf: (path) => path,
    put: async (path, body) => void objects.set(path, body),
    putOnce: async (path, body) => {
      if (objects.has(path)) return false;
      objects.set(path, body);
      return true;
    },
    list: async (prefix) => new Set([...objects.keys()].filter((path) => path.startsWith(prefix))),
    readText: async (path) => objects.get(path),
    readJson: async (path, schema) => {
      const text = objects.get(path);
      return text === undefined ? undefined : schema.parse(parseJson(text));
    },
    async *readBytes(path) {
      yield encoder.encode(objects.get(path) ?? '');
    },
    openWriter: (path, unfinished) => {
      let text = unfinished?.rest ?? '';
      return {
        write: async (more) => {
          text += more;
        },
        close: async () => void objects.set(path, text),
        abort: async () => undefined,
        pause: () => ({ etags: [], rest: text }),
      };
    },
  };
  return { folder, objects };
};

import { existsSync, readFileSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { type OrderId, orderIdSchema } from '../../shared/orders/order';
import { UsageError } from './input';

/** Faults of a file that are named, more are only counted. */
const namedFaults = 5;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown fault';

/** The lines of a file of order ids: one id a line; `#` begins a comment. */
export const toIdLines = (orders: readonly { readonly orderId: OrderId; readonly comment?: string }[]): string =>
  orders.map(({ orderId, comment }) => `${orderId}${comment === undefined ? '' : ` # ${comment}`}\n`).join('');

/**
 * Reads a file of order ids.
 *
 * @returns each id once, in the order of the file
 * @throws {UsageError} for a file that cannot be read, and for lines that hold no id
 */
export const readIdFile = (path: string): OrderId[] => {
  const ids = new Set<OrderId>();
  const faults: string[] = [];
  for (const [index, line] of readLines(path).entries()) {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') continue;
    const { data } = orderIdSchema.safeParse(text);
    if (data === undefined)
      faults.push(`${path}, line ${index + 1}: ${JSON.stringify(text.slice(0, 60))} is no order id`);
    else ids.add(data);
  }
  const more = faults.length - namedFaults;
  if (more > 0) throw new UsageError([...faults.slice(0, namedFaults), `… and ${more} lines more`]);
  if (faults.length > 0) throw new UsageError(faults);
  return [...ids];
};

const readLines = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/);
  } catch (error) {
    throw new UsageError([`the file ${path} cannot be read (${codeOf(error)})`]);
  }
};

/**
 * Finds out whether a file can be written, before the work whose result it takes.
 *
 * @throws {UsageError} when it cannot
 */
export const checkWritable = async (path: string): Promise<void> => {
  try {
    await (await open(path, 'a')).close();
  } catch (error) {
    throw cannotWrite(path, error);
  }
};

const cannotWrite = (path: string, error: unknown): UsageError =>
  new UsageError([`the file ${path} cannot be written (${codeOf(error)})`]);

/** Writes a whole file at once: a reader, or a crash, never meets half of it. */
export const writeWhole = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
};

/** Between two writes of the same file. */
const writeIntervalMs = 5_000;

/**
 * Keeps the ids that a replay has not started yet in a file, so that it can be continued after whatever ended it.
 *
 * @param path must not exist, unless it is the list that the replay reads
 */
export const createRestFile = (path: string, listPath: string | undefined, now: () => number) => {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  const write = async (left: readonly OrderId[]): Promise<void> => {
    writtenAtMs = now();
    await writeWhole(path, toIdLines(left.map((orderId) => ({ orderId }))));
  };
  return {
    path,
    /** @throws {UsageError} when the file is somebody else's, or cannot be written */
    open: async (all: readonly OrderId[]): Promise<void> => {
      if (path !== listPath && existsSync(path)) throw new UsageError([`the file ${path} exists already`]);
      await write(all);
    },
    /** Writes what is left, if the last write was some seconds ago. */
    update: async (left: () => readonly OrderId[]): Promise<void> => {
      if (now() - writtenAtMs >= writeIntervalMs) await write(left());
    },
    /** The end: removes a file that would be empty. */
    close: (left: readonly OrderId[]): Promise<void> => (left.length > 0 ? write(left) : rm(path, { force: true })),
  };
};
